#include "tests/core/spool/faulty_vfs.h"

#include <sqlite3.h>

#include <chrono>
#include <cstring>
#include <thread>

namespace pganalytics::spool_test {
namespace {

FaultyDisk g_disk;
sqlite3_vfs g_vfs;
sqlite3_vfs* g_real = nullptr;

struct File {
  sqlite3_file base;
  sqlite3_file* real;
};

sqlite3_file* real_of(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

// Whether this operation, counted over all kinds, is one of those that the disk's illness befalls.
int counted(int ill) {
  const int n = ++g_disk.operations;
  return n >= g_disk.fail_from && n < g_disk.fail_until ? ill : SQLITE_OK;
}

// What an illness of the whole disk means for an operation that has a code of its own for "the disk is broken".
int code_of(int of_kind, bool writes) {
  switch (g_disk.illness) {
    case SQLITE_FULL:
    case SQLITE_READONLY: return writes ? g_disk.illness.load() : SQLITE_OK;
    case SQLITE_CORRUPT: return of_kind == SQLITE_IOERR_READ ? SQLITE_CORRUPT : SQLITE_OK;
    default: return of_kind;
  }
}

int disturb(int code, int of_kind) {
  if (const int ill = counted(code_of(of_kind, true)); ill != SQLITE_OK) return ill;
  const auto enough = std::chrono::steady_clock::now() + kHangsAtMost;
  ++g_disk.waiting;
  while (g_disk.hangs && std::chrono::steady_clock::now() < enough) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  --g_disk.waiting;
  if (const int ms = g_disk.delay_ms; ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  return code;
}

int close(sqlite3_file* file) { return real_of(file)->pMethods->xClose(real_of(file)); }
int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  if (const int code = g_disk.fail_reads; code != 0) return code;
  if (const int ill = counted(code_of(SQLITE_IOERR_READ, false)); ill != SQLITE_OK) return ill;
  return real_of(file)->pMethods->xRead(real_of(file), to, size, at);
}
int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  if (const int code = disturb(g_disk.fail_writes, SQLITE_IOERR_WRITE); code != 0) return code;
  return real_of(file)->pMethods->xWrite(real_of(file), from, size, at);
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int ill = counted(code_of(SQLITE_IOERR_TRUNCATE, true)); ill != SQLITE_OK) return ill;
  return real_of(file)->pMethods->xTruncate(real_of(file), size);
}
int sync(sqlite3_file* file, int flags) {
  if (const int code = disturb(g_disk.fail_writes, SQLITE_IOERR_FSYNC); code != 0) return code;
  if (g_disk.spare_syncs > 0) {
    --g_disk.spare_syncs;
  } else if (g_disk.fail_next_syncs > 0) {
    --g_disk.fail_next_syncs;
    g_disk.opens_at_failure = g_disk.opens.load();
    return SQLITE_IOERR_FSYNC;
  }
  if (g_disk.skip_syncs) return SQLITE_OK;
  return real_of(file)->pMethods->xSync(real_of(file), flags);
}
int file_size(sqlite3_file* file, sqlite3_int64* size) { return real_of(file)->pMethods->xFileSize(real_of(file), size); }
int lock(sqlite3_file* file, int kind) { return real_of(file)->pMethods->xLock(real_of(file), kind); }
int unlock(sqlite3_file* file, int kind) { return real_of(file)->pMethods->xUnlock(real_of(file), kind); }
int check_lock(sqlite3_file* file, int* held) { return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held); }
int control(sqlite3_file* file, int op, void* argument) {
  return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}
int sector_size(sqlite3_file* file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
int traits(sqlite3_file* file) { return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)); }
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
  if (const int ill = counted(code_of(SQLITE_IOERR_SHMMAP, false)); ill != SQLITE_OK) return ill;
  return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, at);
}
int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}
void shm_barrier(sqlite3_file* file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }
int shm_unmap(sqlite3_file* file, int remove) { return real_of(file)->pMethods->xShmUnmap(real_of(file), remove); }
int fetch(sqlite3_file* file, sqlite3_int64 at, int size, void** to) {
  return real_of(file)->pMethods->xFetch(real_of(file), at, size, to);
}
int unfetch(sqlite3_file* file, sqlite3_int64 at, void* from) {
  return real_of(file)->pMethods->xUnfetch(real_of(file), at, from);
}

const sqlite3_io_methods kMethods = {3,        close,       read,       write,   truncate,    sync,   file_size,
                                     lock,     unlock,      check_lock, control, sector_size, traits, shm_map,
                                     shm_lock, shm_barrier, shm_unmap,  fetch,   unfetch};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  ++g_disk.opens;
  if (const int code = g_disk.fail_opens; code != 0) return code;
  if (const int ill = counted(code_of(SQLITE_CANTOPEN, false)); ill != SQLITE_OK) return ill;
  auto* const mine = reinterpret_cast<File*>(file);
  mine->real = reinterpret_cast<sqlite3_file*>(mine + 1);
  const int code = g_real->xOpen(g_real, name, mine->real, flags, out_flags);
  if (code == SQLITE_OK) file->pMethods = &kMethods;
  return code;
}

int remove(sqlite3_vfs*, const char* name, int sync_folder) {
  if (const int ill = counted(code_of(SQLITE_IOERR_DELETE, true)); ill != SQLITE_OK) return ill;
  return g_real->xDelete(g_real, name, sync_folder);
}

}  // namespace

FaultyDisk& FaultyVfs::disk() { return g_disk; }

FaultyVfs::FaultyVfs() {
  g_disk.delay_ms = g_disk.fail_writes = g_disk.fail_reads = g_disk.fail_next_syncs = g_disk.spare_syncs = g_disk.fail_opens = 0;
  g_disk.operations = g_disk.fail_from = g_disk.fail_until = g_disk.opens = g_disk.opens_at_failure = 0;
  g_disk.skip_syncs = g_disk.hangs = false;
  g_real = sqlite3_vfs_find(nullptr);
  g_vfs = *g_real;
  g_vfs.zName = "faulty";
  g_vfs.szOsFile = static_cast<int>(sizeof(File)) + g_real->szOsFile;
  g_vfs.xOpen = open;
  g_vfs.xDelete = remove;
  sqlite3_vfs_register(&g_vfs, 1);
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&g_vfs);
  sqlite3_vfs_register(g_real, 1);
}

}  // namespace pganalytics::spool_test
