# Makes one system call fail and becomes another program.
# Arguments: number of the call, errno (0 pretends success), the position of an argument with
# the value that makes it fail (position 6: whatever the arguments are), the program, its arguments
# from its name on.
import ctypes
import os
import struct
import sys

number, errno, position, value = map(int, sys.argv[1:5])

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000 | errno
# struct seccomp_data: the number at 0, arguments of 64 bits from 16 on, lower half first.
if position == 6:
    program = [(LOAD, 0, 0, 0), (EQUAL, 0, 1, number)]
else:
    program = [
        (LOAD, 0, 0, 0),
        (EQUAL, 0, 3, number),
        (LOAD, 0, 0, 16 + 8 * position),
        (EQUAL, 0, 1, value),
    ]
program += [(RETURN, 0, 0, FAIL), (RETURN, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


libc = ctypes.CDLL(None, use_errno=True)
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 22, 38, 2
described = Program(len(program), ctypes.addressof(code))
for arguments in [(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, FILTER, ctypes.byref(described))]:
    if libc.prctl(*arguments) != 0:
        sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[5], sys.argv[6:])
