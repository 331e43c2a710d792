/* A hostile PKCS#11 module, for tests: SoftHSM's, with what it does at its start, with a signature and with a
 * new key replaced. What it tries is chosen by the variable ATTACK; what came of each attempt goes to the
 * file RESULT. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

typedef unsigned long CK_RV;
typedef CK_RV (*any)(void);
/* CK_FUNCTION_LIST of PKCS#11 2.40: a version and 68 functions. */
struct list {
    unsigned char major, minor;
    any functions[68];
};
enum {
    C_INITIALIZE = 0, C_GET_FUNCTION_LIST = 3, C_OPEN_SESSION = 12, C_CREATE_OBJECT = 20, C_DESTROY_OBJECT = 22,
    C_FIND_OBJECTS_INIT = 26, C_SIGN = 43, C_GENERATE_KEY_PAIR = 59
};

static struct list ours;
static CK_RV (*real_initialize)(void *);
static CK_RV (*real_open_session)(unsigned long, unsigned long, void *, void *, unsigned long *);
static CK_RV (*real_create_object)(unsigned long, void *, unsigned long, unsigned long *);
static CK_RV (*real_generate_key_pair)(unsigned long, void *, void *, unsigned long, void *, unsigned long,
                                       unsigned long *, unsigned long *);
static CK_RV (*real_sign)(unsigned long, unsigned char *, unsigned long, unsigned char *, unsigned long *);

static int is(const char *attack) {
    const char *chosen = getenv("ATTACK");
    return chosen && strcmp(chosen, attack) == 0;
}

static FILE *result;
static const char *stage;

static void note(const char *what, long outcome) {
    fprintf(result, "%s %s %s\n", stage, what, outcome < 0 ? "refused" : "done");
    fflush(result);
}

static void *nothing(void *unused) { return unused; }

static long in_child(const char *program) {
    pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) {
        if (program) execl(program, program, (char *)0);
        _exit(program ? 1 : 0);
    }
    int status = 1;
    if (waitpid(child, &status, 0) < 0) return -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void try_everything(const char *name) {
    stage = name;
    result = fopen(getenv("RESULT"), "a");
    if (!result) _exit(3);
    char path[64], byte = 0;
    pid_t parent = getppid();
    note("read-file", open("/etc/passwd", O_RDONLY));
    note("list-folder", open("/", O_RDONLY | O_DIRECTORY));
    note("make-file", open(getenv("FORBIDDEN"), O_WRONLY | O_CREAT, 0600));
    note("inet-socket", socket(AF_INET, SOCK_STREAM, 0));
    note("unix-socket", socket(AF_UNIX, SOCK_STREAM, 0));
    note("netlink-socket", socket(AF_NETLINK, SOCK_RAW, 0));
    note("fork", in_child(0));
    note("exec", in_child("/bin/true"));
    note("memfd", syscall(SYS_memfd_create, "m", 0));
    snprintf(path, sizeof path, "/proc/%d/mem", parent);
    note("parent-memory-file", open(path, O_RDONLY));
    struct iovec here = {&byte, 1}, there = {(void *)ours.functions, 1};
    /* An address of the parent's need not exist: EFAULT means that it was looked at. */
    long read = syscall(SYS_process_vm_readv, parent, &here, 1, &there, 1, 0);
    note("parent-memory-call", read < 0 && errno == EFAULT ? 0 : read);
    note("parent-signal", kill(parent, 0));
    /* Who has it already keeps it. */
    static long traced = -1;
    if (traced < 0) traced = ptrace(PTRACE_SEIZE, parent, 0, 0);
    note("parent-trace", traced);
    note("personality", personality(0xffffffff));
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    note("set-limit", setrlimit(RLIMIT_NOFILE, &limit));
    void *page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    note("executable-memory", page == MAP_FAILED ? -1 : 0);
    page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    note("make-executable", mprotect(page, 4096, PROT_READ | PROT_EXEC));
    pthread_t thread;
    int started = pthread_create(&thread, 0, nothing, 0);
    if (started == 0) pthread_join(thread, 0);
    note("thread", started == 0 ? 0 : -1);
    fclose(result);
}

static void *late(void *unused) {
    (void)unused;
    /* Started before the second filter: it must hold here too. */
    for (;;) {
        int found = socket(AF_UNIX, SOCK_STREAM, 0);
        void *page = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (found >= 0) close(found);
        if (page == MAP_FAILED) {
            stage = "thread";
            result = fopen(getenv("RESULT"), "a");
            note("executable-memory", -1);
            fclose(result);
            return 0;
        }
        munmap(page, 4096);
        usleep(1000);
    }
}

/* From here on the kernel is asked for no further filter: whoever asks is told that it is loaded. */
static void answer_for_the_kernel(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long loaded = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    stage = "initialize";
    result = fopen(getenv("RESULT"), "a");
    note("forged-filter", loaded);
    fclose(result);
}

static void babble(void) {
    char rubbish[4096];
    memset(rubbish, 'x', sizeof rubbish);
    if (write(0, rubbish, sizeof rubbish) < 0) _exit(4);
}

static CK_RV initialize(void *arguments) {
    pthread_t thread;
    if (is("try")) try_everything("initialize");
    if (is("thread")) pthread_create(&thread, 0, late, 0);
    if (is("forge-filter")) answer_for_the_kernel();
    if (is("hang-at-initialize")) for (;;) pause();
    if (is("spin-at-initialize")) for (;;) ;
    if (is("exit-at-initialize")) _exit(0);
    if (is("crash-at-initialize")) raise(SIGSEGV), abort();
    if (is("fail-at-initialize")) return 5;
    if (is("babble-at-initialize")) babble();
    return real_initialize(arguments);
}

/* A token that takes one process at a time. */
static CK_RV open_session(unsigned long slot, unsigned long flags, void *application, void *notify,
                          unsigned long *session) {
    static int turn = -1;
    if (is("one-at-a-time") && turn < 0) {
        turn = open(getenv("SOFTHSM2_CONF"), O_RDONLY);
        if (flock(turn, LOCK_EX | LOCK_NB)) return 0xb1; /* CKR_SESSION_COUNT */
    }
    return real_open_session(slot, flags, application, notify, session);
}

static CK_RV sign(unsigned long session, unsigned char *data, unsigned long length,
                  unsigned char *signature, unsigned long *signature_length) {
    if (is("try") && signature) try_everything("sign");
    if (is("thread") && signature) sleep(1);
    if (is("hang-at-sign")) for (;;) pause();
    if (is("exit-at-sign")) _exit(0);
    if (is("crash-at-sign")) *(volatile int *)0 = 1;
    if (is("fail-at-sign")) return 5;
    if (is("babble-at-sign") && signature) babble();
    if (is("huge-at-sign") && !signature) return *signature_length = 1ul << 40, 0;
    CK_RV outcome = real_sign(session, data, length, signature, signature_length);
    if (is("wrong-at-sign") && signature) signature[*signature_length / 2] ^= 1;
    if (is("short-at-sign") && signature) *signature_length -= 1;
    return outcome;
}

/* Whether the token has made a key. */
static int made;

/* A key comes in two objects: it tries once. */
static CK_RV create_object(unsigned long session, void *template, unsigned long count, unsigned long *object) {
    static int tried;
    if (is("try") && !tried++) try_everything("import");
    CK_RV outcome = real_create_object(session, template, count, object);
    made = outcome == 0;
    return outcome;
}

static CK_RV generate_key_pair(unsigned long session, void *mechanism, void *public, unsigned long public_count,
                               void *private, unsigned long private_count, unsigned long *public_key,
                               unsigned long *private_key) {
    if (is("try")) try_everything("make");
    if (is("thread")) sleep(1);
    if (is("spin-at-make")) for (;;) ;
    if (is("exit-at-make")) _exit(0);
    if (is("crash-at-make")) *(volatile int *)0 = 1;
    if (is("fail-at-make")) return 5;
    if (is("babble-at-make")) { babble(); return 5; }
    CK_RV outcome = real_generate_key_pair(session, mechanism, public, public_count, private, private_count,
                                           public_key, private_key);
    made = outcome == 0;
    return outcome;
}

/* What was made is not found again. */
static CK_RV (*real_find)(unsigned long, void *, unsigned long);
static CK_RV (*real_destroy)(unsigned long, unsigned long);

static CK_RV find(unsigned long session, void *template, unsigned long count) {
    if (made && (is("lose-what-is-made") || is("keep-what-is-made"))) return 5;
    return real_find(session, template, count);
}

static CK_RV destroy(unsigned long session, unsigned long object) {
    if (is("keep-what-is-made")) return 5;
    return real_destroy(session, object);
}

CK_RV C_GetFunctionList(struct list **list) {
    void *library = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW);
    if (!library) return 5;
    CK_RV (*get)(struct list **) = (CK_RV (*)(struct list **))dlsym(library, "C_GetFunctionList");
    struct list *real;
    if (!get || get(&real)) return 5;
    ours = *real;
    real_initialize = (CK_RV (*)(void *))real->functions[C_INITIALIZE];
    real_open_session = (void *)real->functions[C_OPEN_SESSION];
    real_sign = (void *)real->functions[C_SIGN];
    real_create_object = (void *)real->functions[C_CREATE_OBJECT];
    real_generate_key_pair = (void *)real->functions[C_GENERATE_KEY_PAIR];
    ours.functions[C_INITIALIZE] = (any)initialize;
    ours.functions[C_GET_FUNCTION_LIST] = (any)C_GetFunctionList;
    ours.functions[C_OPEN_SESSION] = (any)open_session;
    ours.functions[C_SIGN] = (any)sign;
    ours.functions[C_CREATE_OBJECT] = (any)create_object;
    ours.functions[C_GENERATE_KEY_PAIR] = (any)generate_key_pair;
    real_find = (void *)real->functions[C_FIND_OBJECTS_INIT];
    real_destroy = (void *)real->functions[C_DESTROY_OBJECT];
    ours.functions[C_FIND_OBJECTS_INIT] = (any)find;
    ours.functions[C_DESTROY_OBJECT] = (any)destroy;
    *list = &ours;
    return 0;
}
