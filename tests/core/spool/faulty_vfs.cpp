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

int disturb(int code) {
  ++g_disk.operations;
  if (const int ms = g_disk.delay_ms; ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  return code;
}

int close(sqlite3_file* file) { return real_of(file)->pMethods->xClose(real_of(file)); }
int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  if (const int code = g_disk.fail_reads; code != 0) return code;
  return real_of(file)->pMethods->xRead(real_of(file), to, size, at);
}
int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  if (const int code = disturb(g_disk.fail_writes); code != 0) return code;
  return real_of(file)->pMethods->xWrite(real_of(file), from, size, at);
}
int truncate(sqlite3_file* file, sqlite3_int64 size) { return real_of(file)->pMethods->xTruncate(real_of(file), size); }
int sync(sqlite3_file* file, int flags) {
  if (const int code = disturb(g_disk.fail_writes); code != 0) return code;
  if (g_disk.fail_next_syncs > 0) return --g_disk.fail_next_syncs, SQLITE_IOERR_FSYNC;
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
  if (const int code = g_disk.fail_opens; code != 0) return code;
  auto* const mine = reinterpret_cast<File*>(file);
  mine->real = reinterpret_cast<sqlite3_file*>(mine + 1);
  const int code = g_real->xOpen(g_real, name, mine->real, flags, out_flags);
  if (code == SQLITE_OK) file->pMethods = &kMethods;
  return code;
}

}  // namespace

FaultyDisk& FaultyVfs::disk() { return g_disk; }

FaultyVfs::FaultyVfs() {
  g_disk.delay_ms = g_disk.fail_writes = g_disk.fail_reads = g_disk.fail_next_syncs = g_disk.fail_opens = 0;
  g_real = sqlite3_vfs_find(nullptr);
  g_vfs = *g_real;
  g_vfs.zName = "faulty";
  g_vfs.szOsFile = static_cast<int>(sizeof(File)) + g_real->szOsFile;
  g_vfs.xOpen = open;
  sqlite3_vfs_register(&g_vfs, 1);
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&g_vfs);
  sqlite3_vfs_register(g_real, 1);
}

}  // namespace pganalytics::spool_test
