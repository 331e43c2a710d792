"""Reads archives from standard input (4 bytes of length, big-endian, and the archive, gzipped) and
answers with one line of JSON for each: what tarfile and libarchive find in it."""

import ctypes
import hashlib
import io
import json
import sys
import tarfile

LIBRARY = ctypes.CDLL("libarchive.so.13")
for name, result in [
    ("archive_read_new", ctypes.c_void_p),
    ("archive_entry_pathname_utf8", ctypes.c_char_p),
    ("archive_entry_pathname", ctypes.c_char_p),
    ("archive_entry_hardlink", ctypes.c_char_p),
    ("archive_entry_symlink", ctypes.c_char_p),
    ("archive_entry_filetype", ctypes.c_uint),
    ("archive_entry_size", ctypes.c_int64),
    ("archive_read_data", ctypes.c_ssize_t),
]:
    getattr(LIBRARY, name).restype = result
BUFFER = ctypes.create_string_buffer(65536)
SIZE = ctypes.c_size_t(65536)
KINDS = {0o100000: "file", 0o040000: "folder", 0o120000: "symbolic link"}


def of_tarfile(packed):
    found = []
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        for member in archive:
            kind = (
                "file" if member.isreg() else
                "folder" if member.isdir() else
                "symbolic link" if member.issym() else
                "hard link" if member.islnk() else "other"
            )
            content = archive.extractfile(member).read() if kind == "file" else b""
            digest = hashlib.sha256(content).hexdigest()
            target = member.linkname if kind.endswith("link") else ""
            found.append([member.name, kind, member.size, target, digest])
        # What remains must be zeros, or there is something that was not read.
        archive.fileobj.seek(archive.offset)
        if archive.fileobj.read().strip(b"\0"):
            found.append(["?", "something behind the end", 0, "", ""])
    return found


def of_libarchive(packed):
    archive = ctypes.c_void_p(LIBRARY.archive_read_new())
    LIBRARY.archive_read_support_filter_all(archive)
    LIBRARY.archive_read_support_format_all(archive)
    found = []
    try:
        if LIBRARY.archive_read_open_memory(archive, packed, ctypes.c_size_t(len(packed))) != 0:
            raise ValueError("not opened")
        entry = ctypes.c_void_p()
        while (status := LIBRARY.archive_read_next_header(archive, ctypes.byref(entry))) != 1:
            if status != 0:
                raise ValueError(f"header: {status}")
            path = LIBRARY.archive_entry_pathname(entry)
            hard = LIBRARY.archive_entry_hardlink(entry)
            soft = LIBRARY.archive_entry_symlink(entry)
            kind = "hard link" if hard else KINDS.get(LIBRARY.archive_entry_filetype(entry), "other")
            content = b""
            while (count := LIBRARY.archive_read_data(archive, BUFFER, SIZE)) > 0:
                content += ctypes.string_at(BUFFER, count)
            if count < 0:
                raise ValueError("content")
            found.append([
                path.decode(), kind, len(content), (hard or soft or b"").decode(),
                hashlib.sha256(content).hexdigest(),
            ])
    finally:
        LIBRARY.archive_read_free(archive)
    return found


def main():
    import locale
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    while length := sys.stdin.buffer.read(4):
        packed = sys.stdin.buffer.read(int.from_bytes(length, "big"))
        answer = {}
        for name, read in [("tarfile", of_tarfile), ("libarchive", of_libarchive)]:
            try:
                answer[name] = read(packed)
                for item in answer[name]:
                    item[0] = item[0].removesuffix("/") if item[1] == "folder" else item[0]
            except Exception as error:
                answer[name] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


main()
