#include "common/spill/record_stream.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"

namespace sluis::common {
namespace {

using testing::StatusIs;

class RecordStreamTest : public ::testing::Test {
 protected:
  RecordStreamTest() {
    std::string pattern = ::testing::TempDir() + "records-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~RecordStreamTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& path, const std::vector<std::string>& records) {
    const auto writer = RecordWriter::Create(path, key_, options_);
    SLUIS_ASSERT_OK(writer);
    for (const std::string& record : records) {
      SLUIS_ASSERT_OK((*writer)->Append(record));
    }
    SLUIS_ASSERT_OK((*writer)->Finish(/*sync=*/true));
  }

  absl::StatusOr<std::vector<std::string>> ReadAll(const std::string& path) {
    auto reader = RecordReader::Open(path, key_, options_);
    if (!reader.ok()) {
      return reader.status();
    }
    std::vector<std::string> records;
    std::string_view record;
    for (;;) {
      const absl::StatusOr<bool> more = (*reader)->Next(record);
      if (!more.ok()) {
        return more.status();
      }
      if (!*more) {
        return records;
      }
      records.emplace_back(record);
    }
  }

  static std::string Slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void Overwrite(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::string directory_;
  SecretBytes key_ = SecretBytes::Random(kAeadKeySize);
  RecordStreamOptions options_{.block_bytes = 100, .context = "test"};
};

TEST_F(RecordStreamTest, ReturnsWhatWasWritten) {
  std::mt19937_64 random(1);
  for (const int count : {0, 1, 2, 50}) {
    std::vector<std::string> records;
    for (int i = 0; i < count; ++i) {
      records.emplace_back(random() % 300, static_cast<char>('a' + i % 26));
    }
    const std::string path = directory_ + "/" + std::to_string(count);
    Write(path, records);
    const auto read = ReadAll(path);
    SLUIS_ASSERT_OK(read);
    EXPECT_EQ(*read, records);
  }
}

TEST_F(RecordStreamTest, CreatesFilesForTheOwnerOnlyAndNeverOverExistingOnes) {
  const std::string path = directory_ + "/a";
  Write(path, {"x"});
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_THAT(RecordWriter::Create(path, key_, options_),
              StatusIs(absl::StatusCode::kFailedPrecondition, "exists already"));
}

TEST_F(RecordStreamTest, RefusesAnUnfinishedFile) {
  const std::string path = directory_ + "/a";
  {
    const auto writer = RecordWriter::Create(path, key_, options_);
    SLUIS_ASSERT_OK(writer);
    for (int i = 0; i < 20; ++i) {
      SLUIS_ASSERT_OK((*writer)->Append("0123456789"));
    }
  }
  EXPECT_THAT(ReadAll(path), StatusIs(absl::StatusCode::kDataLoss, path));
}

TEST_F(RecordStreamTest, DetectsEveryCutAndEveryChangedByte) {
  const std::string path = directory_ + "/a";
  Write(path, std::vector<std::string>(12, "0123456789abcdef"));
  const std::string whole = Slurp(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Overwrite(path, whole.substr(0, size));
    ASSERT_THAT(ReadAll(path), StatusIs(absl::StatusCode::kDataLoss, "")) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] ^= 0x20;
    Overwrite(path, changed);
    ASSERT_FALSE(ReadAll(path).ok()) << at;
  }
  Overwrite(path, whole + "x");
  EXPECT_THAT(ReadAll(path), StatusIs(absl::StatusCode::kDataLoss, ""));
}

TEST_F(RecordStreamTest, DetectsExchangedDroppedAndRepeatedBlocks) {
  const std::string path = directory_ + "/a";
  // Records of 96 bytes fill a block each, so all blocks but the last are equally long.
  std::vector<std::string> records;
  for (char c = 'a'; c < 'e'; ++c) {
    records.emplace_back(96, c);
  }
  Write(path, records);
  const std::string whole = Slurp(path);
  constexpr std::size_t kHeader = 28;
  constexpr std::size_t kBlock = 4 + kAeadOverhead + 100;
  ASSERT_EQ(whole.size(), kHeader + 4 * kBlock + 4 + kAeadOverhead);
  const auto block = [&](std::size_t i) { return whole.substr(kHeader + i * kBlock, kBlock); };
  const std::string header = whole.substr(0, kHeader);
  const std::string end = whole.substr(kHeader + 4 * kBlock);
  Overwrite(path, header + block(0) + block(1) + block(2) + block(3) + end);
  SLUIS_ASSERT_OK(ReadAll(path));
  for (const std::string& body : {block(1) + block(0) + block(2) + block(3), block(0) + block(1) + block(2),
                                  block(0) + block(1) + block(1) + block(2) + block(3), std::string()}) {
    Overwrite(path, header + body + end);
    EXPECT_THAT(ReadAll(path), StatusIs(absl::StatusCode::kDataLoss, ""));
  }
}

TEST_F(RecordStreamTest, RefusesAnotherFilesBlocksAnotherKeyAndAnotherContext) {
  const std::string a = directory_ + "/a";
  const std::string b = directory_ + "/b";
  Write(a, {"one"});
  Write(b, {"two"});
  Overwrite(a, Slurp(a).substr(0, 28) + Slurp(b).substr(28));
  EXPECT_THAT(ReadAll(a), StatusIs(absl::StatusCode::kDataLoss, ""));
  options_.context = "other";
  EXPECT_THAT(ReadAll(b), StatusIs(absl::StatusCode::kDataLoss, ""));
  options_.context = "test";
  SLUIS_EXPECT_OK(ReadAll(b));
  key_ = SecretBytes::Random(kAeadKeySize);
  EXPECT_THAT(ReadAll(b), StatusIs(absl::StatusCode::kDataLoss, ""));
}

TEST_F(RecordStreamTest, RefusesARecordOverTheLimit) {
  const auto writer = RecordWriter::Create(directory_ + "/a", key_, options_);
  SLUIS_ASSERT_OK(writer);
  EXPECT_THAT((*writer)->Append(std::string(kMaxRecordBytes + 1, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument, "16777216"));
}

TEST_F(RecordStreamTest, PublishFileReplacesTheOldFile) {
  Write(directory_ + "/new", {"new"});
  Write(directory_ + "/final", {"old"});
  SLUIS_ASSERT_OK(PublishFile(directory_ + "/new", directory_ + "/final"));
  EXPECT_EQ(*ReadAll(directory_ + "/final"), std::vector<std::string>{"new"});
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/new"));
}

}  // namespace
}  // namespace sluis::common
