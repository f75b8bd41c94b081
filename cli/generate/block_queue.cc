#include "cli/generate/block_queue.h"

#include <system_error>
#include <utility>

namespace sluis::cli {

BlockQueue::BlockQueue(const CountrySeed& country, std::uint64_t blocks, unsigned threads)
    : country_(country), blocks_(blocks), threads_(threads), slots_(2 * static_cast<std::size_t>(threads)) {}

BlockQueue::~BlockQueue() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) {
    worker.join();
  }
}

absl::Status BlockQueue::Start() {
  try {
    while (workers_.size() < threads_) {
      workers_.emplace_back([this] { Work(); });
    }
  } catch (const std::system_error&) {
    // Fewer threads make the same country.
  }
  return workers_.empty() ? absl::ResourceExhaustedError("cannot start a thread to generate with") : absl::OkStatus();
}

void BlockQueue::Work() {
  while (true) {
    std::uint64_t number = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || next_ == blocks_ || next_ < taken_ + slots_.size(); });
      if (stop_ || next_ == blocks_) {
        return;
      }
      number = next_++;
    }
    // The slot is this thread's until it is ready: its earlier block was taken, and no other thread has this number.
    Slot& slot = slots_[number % slots_.size()];
    WriteBlock(country_, number, GenerateBlock(country_, number), slot.rows);
    {
      const std::lock_guard lock(mutex_);
      slot.ready = true;
    }
    changed_.notify_all();
  }
}

void BlockQueue::Take(BlockRegisters& rows) {
  std::unique_lock lock(mutex_);
  Slot& slot = slots_[taken_ % slots_.size()];
  changed_.wait(lock, [&] { return slot.ready; });
  std::swap(rows, slot.rows);
  slot.ready = false;
  ++taken_;
  lock.unlock();
  changed_.notify_all();
}

}  // namespace sluis::cli
