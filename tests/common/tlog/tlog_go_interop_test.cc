#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/status/matchers.h"
#include "common/tlog/writer.h"
#include "gtest/gtest.h"
#include "tests/common/store/temporary_directory.h"
#include "tests/common/tlog/log_fixtures.h"

namespace sluis::common {
namespace {

using namespace ::sluis::common::testing;  // NOLINT: fixtures and matchers

// Returns the output of a shell command; "failed" is appended if it failed.
std::string RunShell(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::string output;
  char buffer[512];
  while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) {
    output += buffer;
  }
  return pclose(pipe) == 0 ? output : output + "failed";
}

// Debian's golang-go and golang-golang-x-mod-dev; in CONTRIBUTING.md they are optional.
TEST(TlogGoInterop, TheGoChecksumDatabaseVerifiesOurLog) {
  const char* source = std::getenv("SLUIS_SOURCE_DIR");
  if (source == nullptr || RunShell("command -v go").ends_with("failed") ||
      !std::filesystem::exists("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog")) {
    GTEST_SKIP() << "install golang-go and golang-golang-x-mod-dev to check the log with Go's code";
  }
  TemporaryDirectory directory;
  auto store = MakeMemoryStore(LogTestFamilies());
  auto log = LogWriter::Open(*store, kOrigin, TestKey(), directory / "log");
  SLUIS_ASSERT_OK(log);
  std::ofstream entries(directory / "entries");
  for (std::uint64_t size = 0; size < 700; size += 175) {
    SLUIS_ASSERT_OK((*log)->Append(TestEntries(size, size + 175), WriteBatch())->export_status);
  }
  for (const std::string& entry : TestEntries(0, 700)) {
    entries << entry << "\n";
  }
  entries.close();
  EXPECT_EQ(
      RunShell("cd " + std::string(source) +
               "/tests/common/tlog/interop && GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= GOCACHE=" +
               (directory / "cache") + " HOME=" + directory.path() + " go run main.go '" +
               FormatVerifierKey((*log)->verifier_key()) + "' " + (directory / "log") + " " + (directory / "entries")),
      "verified 700\n");
}

}  // namespace
}  // namespace sluis::common
