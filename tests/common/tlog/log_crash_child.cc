#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "common/store/store.h"
#include "common/tlog/writer.h"
#include "tests/common/tlog/log_fixtures.h"

// Appends to the log in a directory until it is killed. Usage: log_crash_child DIRECTORY ACKNOWLEDGED, where the file
// ACKNOWLEDGED gets the checkpoint of every append that returned, each followed by a form feed.

int main(int argc, char** argv) {
  using namespace sluis::common;           // NOLINT: a test program
  using namespace sluis::common::testing;  // NOLINT
  if (argc != 3) {
    return 2;
  }
  const std::string directory = argv[1];
  const int acknowledged = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  RocksDbOptions options;
  options.families = LogTestFamilies();
  auto store = OpenRocksDb(directory + "/db", options);
  if (!store.ok() || acknowledged < 0) {
    std::fprintf(stderr, "%s\n", store.status().ToString().c_str());
    return 3;
  }
  auto log = LogWriter::Open(**store, kOrigin, TestKey(), directory + "/log");
  if (!log.ok()) {
    std::fprintf(stderr, "%s\n", log.status().ToString().c_str());
    return 4;
  }
  for (std::uint64_t size = (*log)->size();; size = (*log)->size()) {
    // Batches of 1 to 40 entries, to pass edges of tiles often.
    const std::uint64_t end = size + 1 + size * 7919 % 40;
    WriteBatch business;
    business.Put("business", "size", std::to_string(end));
    const auto appended = (*log)->Append(TestEntries(size, end), business);
    if (!appended.ok() || !appended->export_status.ok()) {
      return 5;
    }
    const std::string record = appended->checkpoint + "\f";
    if (write(acknowledged, record.data(), record.size()) != static_cast<ssize_t>(record.size())) {
      return 6;
    }
  }
}
