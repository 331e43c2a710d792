/* Makes an ML-DSA key pair on the only token of a PKCS#11 module, for tests: the `pkcs11-tool` of
 * today's distributions knows no such keys. Arguments: the module, the user's PIN, CKA_LABEL, CKA_ID
 * (one octet, in hexadecimal), CKP_ML_DSA_* (1: 44, 2: 65, 3: 87). */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long ulong;
typedef ulong (*any)();
/* CK_FUNCTION_LIST of PKCS#11 2.40: a version and 68 functions. */
struct list {
    unsigned char major, minor;
    any functions[68];
};
enum {
    C_INITIALIZE = 0,
    C_FINALIZE = 1,
    C_GET_SLOT_LIST = 4,
    C_OPEN_SESSION = 12,
    C_LOGIN = 18,
    C_GENERATE_KEY_PAIR = 59
};
enum { SERIAL_AND_WRITING = 6, USER = 1, ML_DSA_KEY_PAIR_GEN = 0x1c };
enum {
    TOKEN = 1,
    PRIVATE = 2,
    LABEL = 3,
    ID = 0x102,
    SENSITIVE = 0x103,
    SIGN = 0x108,
    VERIFY = 0x10a,
    PARAMETER_SET = 0x61d
};
struct mechanism {
    ulong kind;
    void *parameter;
    ulong length;
};
struct attribute {
    ulong kind;
    void *value;
    ulong length;
};

static void must(const char *what, ulong outcome) {
    if (outcome == 0) return;
    fprintf(stderr, "%s: 0x%lx\n", what, outcome);
    exit(1);
}

int main(int count, char **arguments) {
    if (count != 6) return 2;
    void *library = dlopen(arguments[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    ulong (*get)(struct list **) = (ulong (*)(struct list **))dlsym(library, "C_GetFunctionList");
    struct list *list;
    must("C_GetFunctionList", get(&list));
    must("C_Initialize", list->functions[C_INITIALIZE]((void *)0));
    ulong slot, slots = 1, session, public, private;
    must("C_GetSlotList", list->functions[C_GET_SLOT_LIST](1UL, &slot, &slots));
    must("C_OpenSession", list->functions[C_OPEN_SESSION](slot, (ulong)SERIAL_AND_WRITING,
                                                          (void *)0, (void *)0, &session));
    char *pin = arguments[2], *label = arguments[3];
    must("C_Login", list->functions[C_LOGIN](session, (ulong)USER, pin, (ulong)strlen(pin)));
    unsigned char yes = 1, no = 0, id = (unsigned char)strtoul(arguments[4], 0, 16);
    ulong set = strtoul(arguments[5], 0, 10);
    struct attribute of_public[] = {
        {TOKEN, &yes, 1},         {PRIVATE, &no, 1}, {LABEL, label, strlen(label)}, {ID, &id, 1},
        {VERIFY, &yes, 1}, {PARAMETER_SET, &set, sizeof set},
    };
    struct attribute of_private[] = {
        {TOKEN, &yes, 1}, {PRIVATE, &yes, 1},   {LABEL, label, strlen(label)}, {ID, &id, 1},
        {SIGN, &yes, 1},  {SENSITIVE, &yes, 1},
    };
    struct mechanism mechanism = {ML_DSA_KEY_PAIR_GEN, 0, 0};
    must("C_GenerateKeyPair",
         list->functions[C_GENERATE_KEY_PAIR](session, &mechanism, of_public, 6UL, of_private, 6UL,
                                              &public, &private));
    must("C_Finalize", list->functions[C_FINALIZE]((void *)0));
    return 0;
}
