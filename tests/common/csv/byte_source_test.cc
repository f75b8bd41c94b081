#include "common/csv/byte_source.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/csv/text_source.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "tests/common/csv/compress.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::Gzip;
using ::sluis::common::testing::StatusIs;
using ::sluis::common::testing::Zstd;

absl::StatusOr<std::string> ReadAll(ByteSource& source, std::size_t step = 1000) {
  std::string all;
  std::string buffer(step, '\0');
  for (;;) {
    SLUIS_ASSIGN_OR_RETURN(const std::size_t count, source.Read(buffer));
    if (count == 0) return all;
    all.append(buffer, 0, count);
  }
}
absl::StatusOr<std::string> ReadAll(std::string bytes, std::size_t step = 1000) {
  return ReadAll(*MakeMemorySource(std::move(bytes)), step);
}
std::string Text() {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919) + ";\n";
  return text;
}

class FileSource : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "file_source_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << bytes;
    return directory_ + "/" + name;
  }
  std::string directory_;
};

TEST(MemorySource, ReadsPlainGzipAndZstandard) {
  for (const std::size_t step : {1u, 7u, 100'000u}) {
    const std::string text = step == 1 ? Text().substr(0, 5000) : Text();
    EXPECT_EQ(*ReadAll(text, step), text);
    EXPECT_EQ(*ReadAll(Gzip(text), step), text);
    EXPECT_EQ(*ReadAll(Zstd(text), step), text);
  }
}

TEST(MemorySource, ReadsConcatenatedMembersAndFrames) {
  EXPECT_EQ(*ReadAll(Gzip("a,b\n") + Gzip("") + Gzip("1,2\n")), "a,b\n1,2\n");
  EXPECT_EQ(*ReadAll(Zstd("a,b\n") + Zstd("") + Zstd("1,2\n")), "a,b\n1,2\n");
}

TEST(MemorySource, FailsWhereverCompressedDataAreCut) {
  for (const std::string& whole : {Gzip(Text().substr(0, 2000)), Zstd(Text().substr(0, 2000))}) {
    for (std::size_t length = 4; length < whole.size(); ++length) {
      const auto result = ReadAll(whole.substr(0, length));
      ASSERT_THAT(result, StatusIs(absl::StatusCode::kDataLoss, "ends early")) << length;
      EXPECT_EQ(ReasonOf(result.status()), "FILE_TRUNCATED");
    }
  }
}

TEST(MemorySource, FailsOnDamageAndOnTrailingBytes) {
  std::string damaged = Gzip(Text());
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  EXPECT_EQ(ReasonOf(ReadAll(damaged).status()), "FILE_COMPRESSION");
  EXPECT_EQ(ReasonOf(ReadAll(Gzip("a,b\n") + "no gzip member follows").status()), "FILE_COMPRESSION");
  EXPECT_EQ(ReasonOf(ReadAll(Zstd("a,b\n") + "no frame follows").status()), "FILE_COMPRESSION");
}

TEST(MemorySource, RefusesAZstandardWindowThatCostsTooMuchMemory) {
  EXPECT_THAT(ReadAll(Zstd("a,b\n", 27)), testing::IsOk());
  EXPECT_THAT(ReadAll(Zstd("a,b\n", 28)), StatusIs(absl::StatusCode::kDataLoss, "window of at most 128 MiB"));
}

TEST_F(FileSource, RecognisesCompressionByContent) {
  for (const std::string& bytes : {Text(), Gzip(Text()), Zstd(Text())}) {
    const auto source = OpenFileSource(Write("extract.csv", bytes));
    SLUIS_ASSERT_OK(source);
    EXPECT_EQ(*ReadAll(**source), Text());
  }
}

TEST_F(FileSource, ReadsAWholeFileUpToALimit) {
  std::string text;
  while (text.size() < (1 << 20)) text += Text();
  text.resize(1 << 20);
  for (const std::string& bytes : {text, Gzip(text)}) {
    const auto whole = ReadWholeFile(Write("whole", bytes), 1);
    SLUIS_ASSERT_OK(whole);
    EXPECT_TRUE(*whole == text);
    EXPECT_THAT(ReadWholeFile(Write("whole", bytes), 0), StatusIs(absl::StatusCode::kInvalidArgument, "larger than 0"));
  }
  EXPECT_THAT(ReadWholeFile(Write("more", Gzip(text + "x")), 1),
              StatusIs(absl::StatusCode::kInvalidArgument, "more: larger than 1 MiB"));
  const std::string zipped = Gzip(Text());
  EXPECT_THAT(ReadWholeFile(Write("cut", zipped.substr(0, zipped.size() / 2)), 1),
              StatusIs(absl::StatusCode::kDataLoss, "/cut: the compressed file ends early"));
  EXPECT_THAT(ReadWholeFile(directory_ + "/absent", 1), StatusIs(absl::StatusCode::kNotFound, "absent"));
}

TEST_F(FileSource, FailsIfTheNamePromisesACompressionThatTheContentLacks) {
  EXPECT_EQ(ReasonOf(OpenFileSource(Write("a.csv.gz", "a,b\n")).status()), "FILE_COMPRESSION");
  EXPECT_EQ(ReasonOf(OpenFileSource(Write("b.csv.zst", Gzip("a,b\n"))).status()), "FILE_COMPRESSION");
  EXPECT_EQ(ReasonOf(OpenFileSource(Write("c.csv.gz", "")).status()), "FILE_COMPRESSION");
}

TEST_F(FileSource, FailsOnWhatIsNoReadableFile) {
  EXPECT_THAT(OpenFileSource(directory_ + "/absent.csv"), StatusIs(absl::StatusCode::kNotFound, "absent.csv"));
  EXPECT_THAT(OpenFileSource(directory_), StatusIs(absl::StatusCode::kFailedPrecondition, "not a regular file"));
  ASSERT_EQ(mkfifo((directory_ + "/pipe").c_str(), 0600), 0);
  EXPECT_THAT(OpenFileSource(directory_ + "/pipe"), StatusIs(absl::StatusCode::kFailedPrecondition, "regular"));
}

absl::StatusOr<std::string> Decode(std::string bytes, Encoding encoding) {
  TextSource source(MakeMemorySource(std::move(bytes)), encoding);
  std::string all;
  for (;;) {
    SLUIS_ASSIGN_OR_RETURN(const std::string_view block, source.NextBlock());
    if (block.empty()) return all;
    all += block;
  }
}

TEST(TextSourceTest, DropsTheMarkAndKeepsUtf8) {
  EXPECT_EQ(*Decode("\xEF\xBB\xBFna\xC3\xAFve", Encoding::kUtf8), "na\xC3\xAFve");
  EXPECT_EQ(*Decode("\xEF\xBB\xBFna\xC3\xAFve", Encoding::kWindows1252), "na\xC3\xAFve");
  EXPECT_EQ(*Decode("\xEF\xBB\xBF", Encoding::kUtf8), "");
  EXPECT_EQ(*Decode("", Encoding::kUtf8), "");
  EXPECT_EQ(*Decode("ab", Encoding::kUtf8), "ab");
}

TEST(TextSourceTest, DecodesWindows1252) {
  EXPECT_EQ(*Decode("Ren\xE9 \x80 \x8A \xFF", Encoding::kWindows1252), "Ren\xC3\xA9 \xE2\x82\xAC \xC5\xA0 \xC3\xBF");
  for (const char undefined : {'\x81', '\x8D', '\x8F', '\x90', '\x9D'}) {
    EXPECT_FALSE(IsValidUtf8(*Decode(std::string("a") + undefined, Encoding::kWindows1252)));
  }
}

TEST(TextSourceTest, RefusesUtf16) {
  EXPECT_THAT(Decode(std::string("\xFF\xFE"
                                 "a\0b\0",
                                 6),
                     Encoding::kUtf8),
              StatusIs(absl::StatusCode::kInvalidArgument, "UTF-16"));
}

TEST(TextSourceTest, NamesTheEncodingsItKnows) {
  EXPECT_EQ(*ParseEncoding("UTF-8"), Encoding::kUtf8);
  EXPECT_EQ(*ParseEncoding("cp1252"), Encoding::kWindows1252);
  EXPECT_THAT(ParseEncoding("ebcdic"), StatusIs(absl::StatusCode::kInvalidArgument, "windows-1252"));
}

TEST(IsPlainAsciiTest, AgreesWithALoopForEveryByteAtEveryPosition) {
  for (std::size_t length = 1; length <= 17; ++length) {
    for (std::size_t position = 0; position < length; ++position) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(length, 'x');
        text[position] = static_cast<char>(byte);
        EXPECT_EQ(IsPlainAscii(text), byte > 0 && byte < 128) << length << " " << position << " " << byte;
      }
    }
  }
  EXPECT_TRUE(IsPlainAscii(""));
}

TEST(IsValidUtf8Test, RefusesSurrogatesOverlongFormsAndCuts) {
  EXPECT_TRUE(IsValidUtf8("\xF0\x9F\x98\x80 \xE2\x82\xAC"));
  for (const char* bad : {"\xED\xA0\x80", "\xC0\xAF", "\xE2\x82", "\xFF", "\x80", "\xF4\x90\x80\x80"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

}  // namespace
}  // namespace sluis::common
