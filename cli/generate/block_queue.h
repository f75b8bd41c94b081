#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "cli/generate/registers.h"

namespace sluis::cli {

// Threads that make the rows of blocks 0, 1, ... ahead of the one that takes them in order. At most two blocks a thread
// are held, whatever the number of blocks.
class BlockQueue {
 public:
  BlockQueue(const CountrySeed& country, std::uint64_t blocks, unsigned threads);
  // Stops and joins the threads, at the latest after the block that each is at.
  ~BlockQueue();
  BlockQueue(const BlockQueue&) = delete;
  BlockQueue& operator=(const BlockQueue&) = delete;

  // Errors: RESOURCE_EXHAUSTED if no thread could be started.
  [[nodiscard]] absl::Status Start();

  // Waits for the next block and exchanges its rows with `rows`, whose memory is used again. Call at most `blocks`
  // times, from one thread.
  void Take(BlockRegisters& rows);

 private:
  struct Slot {
    BlockRegisters rows;
    bool ready = false;
  };
  void Work();

  const CountrySeed country_;
  const std::uint64_t blocks_;
  const unsigned threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;  // block b is in slot b % slots_.size(); guarded by mutex_, but for a block in the making
  std::uint64_t next_ = 0;   // the next block to make
  std::uint64_t taken_ = 0;  // blocks taken
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace sluis::cli
