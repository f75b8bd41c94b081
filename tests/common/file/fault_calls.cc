#include "tests/common/file/fault_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

namespace {

using sluis::common::testing::FaultAction;

int calls_left = 0;  // 0: no fault armed, or past it
bool fault_reached = false;
FaultAction fault_action = FaultAction::kFail;
int fault_error = 0;

// Returns true if the present call must fail; does not return if it must end the process.
bool MustFail() {
  if (calls_left == 0 || --calls_left != 0) {
    return false;
  }
  fault_reached = true;
  if (fault_action != FaultAction::kFail) {
    _exit(77);
  }
  errno = fault_error;
  return true;
}

template <typename Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// These definitions in the program take precedence over those of the C library.
extern "C" {

int openat(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if ((flags & O_ACCMODE) != O_RDONLY && MustFail()) {
    return -1;
  }
  return Real<int (*)(int, const char*, int, ...)>("openat")(directory, path, flags, mode);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const auto real = Real<ssize_t (*)(int, const void*, size_t)>("write");
  if (calls_left == 1 && fault_action == FaultAction::kTear) {
    (void)!real(fd, bytes, size / 2);
  }
  return MustFail() ? -1 : real(fd, bytes, size);
}

int fchmod(int fd, mode_t mode) noexcept { return MustFail() ? -1 : Real<int (*)(int, mode_t)>("fchmod")(fd, mode); }

int fsync(int fd) { return MustFail() ? -1 : Real<int (*)(int)>("fsync")(fd); }

int renameat(int old_directory, const char* old_path, int new_directory, const char* new_path) noexcept {
  return MustFail() ? -1
                    : Real<int (*)(int, const char*, int, const char*)>("renameat")(old_directory, old_path,
                                                                                    new_directory, new_path);
}

int linkat(int old_directory, const char* old_path, int new_directory, const char* new_path, int flags) noexcept {
  return MustFail() ? -1
                    : Real<int (*)(int, const char*, int, const char*, int)>("linkat")(old_directory, old_path,
                                                                                       new_directory, new_path, flags);
}

int unlinkat(int directory, const char* path, int flags) noexcept {
  return MustFail() ? -1 : Real<int (*)(int, const char*, int)>("unlinkat")(directory, path, flags);
}

}  // extern "C"

namespace sluis::common::testing {

ScopedFault::ScopedFault(int nth, FaultAction action, int error) {
  calls_left = nth;
  fault_reached = false;
  fault_action = action;
  fault_error = error;
}

ScopedFault::~ScopedFault() { calls_left = 0; }

bool ScopedFault::reached() const { return fault_reached; }

}  // namespace sluis::common::testing
