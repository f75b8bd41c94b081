#pragma once

// Replaces the system calls with which files are written by ones that fail, or end the process, at the n-th call. Link
// fault_calls.cc into the test program; outside a ScopedFault the calls do what they always do.

namespace sluis::common::testing {

enum class FaultAction {
  kFail,   // the call returns -1 with `error`
  kCrash,  // the process ends at once, before the call, as by kill -9
  kTear,   // a write() writes half of its bytes, then the process ends; other calls as kCrash
};

// While it lives, call number `nth` (from 1) of openat for writing, write, fchmod, fsync, linkat, renameat and unlinkat
// meets `action`. One at a time; not thread-safe.
class ScopedFault {
 public:
  ScopedFault(int nth, FaultAction action, int error);
  ~ScopedFault();
  ScopedFault(const ScopedFault&) = delete;
  ScopedFault& operator=(const ScopedFault&) = delete;
  // True once the n-th call was reached.
  bool reached() const;
};

}  // namespace sluis::common::testing
