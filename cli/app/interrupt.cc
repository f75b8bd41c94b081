#include "cli/app/interrupt.h"

#include <csignal>

namespace sluis::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void OnInterrupt(int) {
  interrupted = 1;
  std::signal(SIGINT, SIG_DFL);
}

}  // namespace

InterruptScope::InterruptScope() {
  interrupted = 0;
  std::signal(SIGINT, OnInterrupt);
}
InterruptScope::~InterruptScope() { std::signal(SIGINT, SIG_DFL); }
bool InterruptScope::requested() const { return interrupted != 0; }

}  // namespace sluis::cli
