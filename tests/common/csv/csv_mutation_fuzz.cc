// Deterministic mutations of valid files: whatever the bytes, the readers end with rows or with a status, in bounded
// memory. Worth most under AddressSanitizer.
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "common/csv/csv_reader.h"
#include "common/csv/fixed_width_reader.h"
#include "gtest/gtest.h"
#include "tests/long_tests.h"

namespace sluis::common {
namespace {

std::string Mutate(std::string text, std::mt19937& random) {
  static constexpr std::string_view kBytes("\",;\t\r\n\0\xFF\xEF\xBB\xBF\x1f\x8b\x28\xb5\x2f\xfd\x80 x9", 21);
  for (std::uint32_t n = 1 + random() % 6; n > 0 && !text.empty(); --n) {
    const std::size_t at = random() % text.size();
    switch (random() % 4) {
      case 0:
        text[at] = kBytes[random() % kBytes.size()];
        break;
      case 1:
        text.erase(at, random() % 16);
        break;
      case 2:
        text.insert(at, 1 + random() % 300, kBytes[random() % kBytes.size()]);
        break;
      default:
        text.insert(at, text.substr(random() % text.size(), random() % 64));
    }
  }
  return text;
}

void Drain(TableReader& reader, const ReadLimits& limits) {
  Record record;
  for (;;) {
    const absl::StatusOr<bool> found = reader.Next(record);
    if (!found.ok() || !*found) return;
    ASSERT_LE(record.fields.size(), limits.columns);
    for (const std::string_view field : record.fields) {
      ASSERT_LE(field.size(), limits.record_bytes);
      if (record.fault == RecordFault::kNone) {
        ASSERT_TRUE(IsValidUtf8(field));
      }
    }
  }
}

TEST(CsvMutation, NeverCrashesNorPassesALimit) {
  const std::vector<std::string> seeds = {
      "id;name;date\n1;\"two\nlines\";2020-01-01\n2;\"say \"\"no\"\"\";2021-02-03\r\n3;x;\n",
      "\xEF\xBB\xBF"
      "a,b\r1,2\r3,4\r",
      "123 Ren\xC3\xA9X\n 7  Li  Y\n", "a\tb\n\"\"\t\"\"\n"};
  const ReadLimits limits{.field_bytes = 200, .record_bytes = 400, .columns = 8};
  std::mt19937 random(42);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(::sluis::testing::Repetitions(2, 300));
  const int most = ::sluis::testing::Repetitions(40'000, 10'000'000);
  int rounds = 0;
  // A fixed number of rounds within a bounded time: the same inputs on every machine that is fast enough.
  for (; rounds < most && std::chrono::steady_clock::now() < end; ++rounds) {
    const std::string text = Mutate(seeds[random() % seeds.size()], random);
    const Encoding encoding = random() % 2 == 0 ? Encoding::kUtf8 : Encoding::kWindows1252;
    CsvOptions options{.encoding = encoding, .limits = limits};
    options.delimiter = "\0,;\t"[random() % 4];
    options.header = random() % 2 == 0;
    auto reader = CsvReader::Open(MakeMemorySource(text), options);
    if (reader.ok()) Drain(**reader, limits);
    auto fixed =
        FixedWidthReader::Open(MakeMemorySource(text), {{"a", 1, 3}, {"b", 5, 4}, {"c", 9, 1}}, encoding, limits);
    ASSERT_TRUE(fixed.ok());
    Drain(**fixed, limits);
  }
  EXPECT_GT(rounds, 100);
}

}  // namespace
}  // namespace sluis::common
