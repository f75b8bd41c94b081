#include "cli/generate/generate.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/generate/registers.h"
#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/generate/read_country.h"
#include "tests/common/file/fault_calls.h"

namespace sluis::cli {
namespace {

using common::testing::FaultAction;
using common::testing::ScopedFault;
using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ReadContent;
using testing::TemporaryDirectory;

GenerateOptions SmallCountry(const std::string& directory) {
  GenerateOptions options;
  options.persons = 3000;
  options.seed = 20251231;
  options.reference_date = "2025-12-31";
  options.output_directory = directory;
  options.threads = 1;
  return options;
}

const std::vector<std::string>& FileNames() {
  static const auto* const names = new std::vector<std::string>{
      "benefits.tsv.gz", "civic.csv", "diplomas.csv.zst", "jobs.csv", "manifest.json", "persons.csv", "truth.csv"};
  return *names;
}

std::vector<std::string> ListFiles(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Hex(const common::Hash256& hash) {
  std::string text;
  for (const std::uint8_t byte : hash) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    text += digits;
  }
  return text;
}

std::string RawBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

// Content digests of the small country. They change only with the generator itself.
TEST(GenerateCountry, WritesTheSameBytesOnEveryMachine) {
  const TemporaryDirectory directory;
  SLUIS_ASSERT_OK(GenerateCountry(SmallCountry(directory.path()), nullptr));
  const std::map<std::string, std::string> golden = {
      {"persons.csv", "2c6c1903529a464612bf4265a2b5b908bef97cf046ad9b6b2defae07d3b899ea"},
      {"jobs.csv", "530fa46ca7457c7ff4b165ea7938e4fa8253eebbd593106760cbb5250c577bc7"},
      {"benefits.tsv.gz", "e3d402979cd24e38e78f07af9d5fe1d6a06da0bcb2d41308fbefca8243c6dcd4"},
      {"diplomas.csv.zst", "00150ec1e935d180d961ed64540ecc48e46bb1ab88853173daa9ea8680d3e9aa"},
      {"civic.csv", "ac34f3ea563ebf07882a19e02c96f8f758ecfc986ea5eda17850267d57d30adb"},
      {"truth.csv", "e92407fa0d932ec8423c23a603b5a6d5d5a6c467aa3543a9e4bde7c77460dcd8"},
  };
  for (const auto& [name, digest] : golden) {
    EXPECT_EQ(Hex(common::Sha256(ReadContent(directory.path() + "/" + name))), digest) << name;
  }
}

TEST(GenerateCountry, ManifestDescribesEveryFile) {
  const TemporaryDirectory directory;
  SLUIS_ASSERT_OK(GenerateCountry(SmallCountry(directory.path()), nullptr));
  EXPECT_EQ(ListFiles(directory.path()), FileNames());
  const auto manifest = nlohmann::json::parse(RawBytes(directory.path() + "/manifest.json"));
  EXPECT_EQ(manifest["persons"], 3000);
  EXPECT_EQ(manifest["seed"], 20251231);
  EXPECT_EQ(manifest["reference_date"], "2025-12-31");
  ASSERT_EQ(manifest["files"].size(), 6u);
  for (const auto& file : manifest["files"]) {
    const std::string path = directory.path() + "/" + file["name"].get<std::string>();
    const std::string bytes = RawBytes(path);
    const std::string content = ReadContent(path);
    EXPECT_EQ(file["bytes"], bytes.size());
    EXPECT_EQ(file["sha256"], Hex(common::Sha256(bytes)));
    EXPECT_EQ(file["content_bytes"], content.size());
    EXPECT_EQ(file["content_sha256"], Hex(common::Sha256(content)));
    EXPECT_EQ(file["rows"], std::count(content.begin(), content.end(), '\n') - 1);
  }
}

TEST(GenerateCountry, GivesTheSameBytesForEveryThreadCount) {
  const TemporaryDirectory one;
  GenerateOptions options = SmallCountry(one.path());
  options.persons = 20'000;
  SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
  for (const unsigned threads : {0u, 2u, 7u}) {
    const TemporaryDirectory other;
    options.output_directory = other.path();
    options.threads = threads;
    SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
    for (const std::string& name : FileNames()) {
      EXPECT_EQ(RawBytes(other.path() + "/" + name), RawBytes(one.path() + "/" + name)) << name << " " << threads;
    }
  }
}

TEST(GenerateCountry, GivesAnotherCountryForAnotherSeedOrDate) {
  const TemporaryDirectory one;
  const TemporaryDirectory two;
  const TemporaryDirectory three;
  GenerateOptions options = SmallCountry(one.path());
  SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
  options.output_directory = two.path();
  options.seed += 1;
  SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
  options = SmallCountry(three.path());
  options.reference_date = "2024-12-31";
  SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
  const std::string persons = RawBytes(one.path() + "/persons.csv");
  EXPECT_NE(RawBytes(two.path() + "/persons.csv"), persons);
  EXPECT_NE(RawBytes(three.path() + "/persons.csv"), persons);
}

TEST(GenerateCountry, IsTheBeginningOfALargerCountry) {
  const TemporaryDirectory small;
  const TemporaryDirectory large;
  GenerateOptions options = SmallCountry(small.path());
  options.persons = 2048;
  SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
  options.output_directory = large.path();
  options.persons = 5000;
  SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
  for (const RegisterFile& file : RegisterFiles()) {
    const std::string beginning = ReadContent(small.path() + "/" + std::string(file.file));
    EXPECT_EQ(ReadContent(large.path() + "/" + std::string(file.file)).substr(0, beginning.size()), beginning);
  }
}

TEST(GenerateCountry, WritesACountryOfOnePerson) {
  const TemporaryDirectory directory;
  GenerateOptions options = SmallCountry(directory.path());
  options.persons = 1;
  SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
  EXPECT_EQ(testing::ReadCountryFrom(directory.path()).registers[0].rows.size(), 1u);
}

TEST(GenerateCountry, ReportsProgressUpToTheEnd) {
  const TemporaryDirectory directory;
  std::vector<std::uint64_t> seen;
  SLUIS_ASSERT_OK(GenerateCountry(SmallCountry(directory.path()), [&](std::uint64_t written, std::uint64_t persons) {
    EXPECT_EQ(persons, 3000u);
    seen.push_back(written);
  }));
  EXPECT_THAT(seen, ElementsAre(1024, 2048, 3000));
}

TEST(GenerateCountry, FailsIfAFileExistsUnlessToldToOverwrite) {
  for (const std::string& name : FileNames()) {
    const TemporaryDirectory directory;
    std::ofstream(directory.path() + "/" + name) << "precious";
    GenerateOptions options = SmallCountry(directory.path());
    EXPECT_THAT(GenerateCountry(options, nullptr), StatusIs(absl::StatusCode::kAlreadyExists, name));
    EXPECT_THAT(ListFiles(directory.path()), ElementsAre(name));
    EXPECT_EQ(RawBytes(directory.path() + "/" + name), "precious");
    options.overwrite = true;
    SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
    EXPECT_EQ(ListFiles(directory.path()), FileNames());
    EXPECT_NE(RawBytes(directory.path() + "/" + name), "precious");
  }
}

TEST(GenerateCountry, FailsIfOptionsAreOutOfBounds) {
  const TemporaryDirectory directory;
  const GenerateOptions good = SmallCountry(directory.path());
  const auto expect_invalid = [&](const GenerateOptions& options, const char* fragment) {
    EXPECT_THAT(GenerateCountry(options, nullptr), StatusIs(absl::StatusCode::kInvalidArgument, fragment));
    EXPECT_THAT(ListFiles(directory.path()), IsEmpty());
  };
  GenerateOptions bad = good;
  bad.persons = 0;
  expect_invalid(bad, "persons must be 1 to 80000000");
  bad.persons = 80'000'001;
  expect_invalid(bad, "persons must be 1 to 80000000");
  bad = good;
  bad.threads = 257;
  expect_invalid(bad, "threads");
  for (const char* date : {"", "2025-02-29", "2025-13-01", "1949-12-31", "2100-01-01", "31-12-2025", "2025-1-011"}) {
    bad = good;
    bad.reference_date = date;
    expect_invalid(bad, "reference_date");
  }
  bad = good;
  bad.output_directory = directory.path() + "/absent";
  expect_invalid(bad, "output_directory");
}

// Fails every call that writes, one after the other: an error comes back, and no unfinished file is left.
TEST(GenerateCountry, ReportsAFullDiskAtEveryWriteAndLeavesNoUnfinishedFile) {
  int failures = 0;
  for (int nth = 1;; ++nth) {
    const TemporaryDirectory directory;
    absl::Status status;
    bool reached = false;
    {
      const ScopedFault fault(nth, FaultAction::kFail, ENOSPC);
      status = GenerateCountry(SmallCountry(directory.path()), nullptr);
      reached = fault.reached();
    }
    if (!reached) {
      SLUIS_EXPECT_OK(status);
      EXPECT_EQ(ListFiles(directory.path()), FileNames());
      break;
    }
    ++failures;
    ASSERT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, "")) << nth;
    for (const std::string& name : ListFiles(directory.path())) {
      EXPECT_NE(name.substr(0, 1), ".") << name << " is left after call " << nth;
    }
  }
  // Six files: opened, written at least once, synced, renamed; then the manifest.
  EXPECT_GT(failures, 24);
}

TEST(GenerateCountry, LeavesNothingIfTheDiskFillsBeforeFilesAreNamed) {
  const TemporaryDirectory directory;
  {
    const ScopedFault fault(8, FaultAction::kFail, EDQUOT);
    EXPECT_THAT(GenerateCountry(SmallCountry(directory.path()), nullptr),
                StatusIs(absl::StatusCode::kResourceExhausted, "persons.csv"));
  }
  EXPECT_THAT(ListFiles(directory.path()), IsEmpty());
}

// Peak resident memory, in KiB, of a process that generates a country and nothing else.
long PeakMemoryKib(std::uint64_t persons) {
  const TemporaryDirectory directory;
  GenerateOptions options = SmallCountry(directory.path());
  options.persons = persons;
  options.threads = 2;
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) {
    return -1;
  }
  const pid_t child = fork();
  if (child == 0) {
    const bool ok = GenerateCountry(options, nullptr).ok();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const long peak = ok ? usage.ru_maxrss : -1;
    _exit(write(pipe_ends[1], &peak, sizeof(peak)) == sizeof(peak) ? 0 : 1);
  }
  long peak = -1;
  EXPECT_EQ(read(pipe_ends[0], &peak, sizeof(peak)), static_cast<ssize_t>(sizeof(peak)));
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  return peak;
}

TEST(GenerateCountry, NeedsNoMoreMemoryForALargerCountry) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer keeps freed memory: the measurement would be its own";
#endif
  const long small = PeakMemoryKib(20'000);
  const long large = PeakMemoryKib(200'000);
  ASSERT_GT(small, 0);
  // Rows differ in length from block to block: the few blocks that are held may differ by a few hundred KiB.
  EXPECT_LT(large - small, 3 * 1024) << small << " KiB and " << large << " KiB";
}

}  // namespace
}  // namespace sluis::cli
