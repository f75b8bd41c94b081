#include "common/tlog/verifier.h"

#include <filesystem>
#include <string>
#include <vector>

#include "common/file/atomic_file.h"
#include "common/status/matchers.h"
#include "common/tlog/proof.h"
#include "common/tlog/writer.h"
#include "gtest/gtest.h"
#include "tests/common/store/temporary_directory.h"
#include "tests/common/tlog/log_fixtures.h"

namespace sluis::common {
namespace {

using namespace ::sluis::common::testing;  // NOLINT: fixtures and matchers

class LogVerifierTest : public ::testing::Test {
 protected:
  void WriteLog(std::uint64_t entries) {
    auto log = LogWriter::Open(*store_, kOrigin, TestKey(), directory_.path());
    SLUIS_ASSERT_OK(log);
    if (entries > (*log)->size()) {
      SLUIS_ASSERT_OK((*log)->Append(TestEntries((*log)->size(), entries), WriteBatch())->export_status);
    }
    checkpoint_ = (*log)->Checkpoint();
  }
  absl::StatusOr<Checkpoint> Verify(std::optional<std::string> older = std::nullopt) {
    return VerifyLogDirectory(directory_.path(), {TestVerifierKey(), std::move(older), nullptr});
  }
  std::unique_ptr<Store> store_ = MakeMemoryStore(LogTestFamilies());
  TemporaryDirectory directory_;
  std::string checkpoint_;
};

TEST_F(LogVerifierTest, AcceptsLogsOfEverySizeAroundTileEdgesAndVisitsEachEntry) {
  for (const std::uint64_t size : {0u, 1u, 2u, 255u, 256u, 257u, 511u, 512u, 513u, 700u}) {
    WriteLog(size);
    std::uint64_t visited = 0;
    const auto checkpoint = VerifyLogDirectory(
        directory_.path(), {TestVerifierKey(), std::nullopt, [&](std::uint64_t index, std::string_view entry) {
                              EXPECT_EQ(index, visited);
                              EXPECT_EQ(entry, TestEntry(visited++));
                              return absl::OkStatus();
                            }});
    SLUIS_ASSERT_OK(checkpoint);
    EXPECT_EQ(checkpoint->size, size);
    EXPECT_EQ(visited, size);
  }
}

TEST_F(LogVerifierTest, AcceptsALogWithLevelTwoTiles) {
  WriteLog(66'000);
  EXPECT_EQ(Verify()->size, 66'000u);
}

TEST_F(LogVerifierTest, AnErrorOfTheVisitorEndsTheVerification) {
  WriteLog(3);
  EXPECT_THAT(VerifyLogDirectory(directory_.path(), {TestVerifierKey(), std::nullopt,
                                                     [](std::uint64_t index, std::string_view) {
                                                       return index == 1 ? absl::AbortedError("seen enough")
                                                                         : absl::OkStatus();
                                                     }}),
              StatusIs(absl::StatusCode::kAborted, "seen enough"));
}

TEST_F(LogVerifierTest, FindsEveryFlippedByteOfEveryFileOfASmallLog) {
  WriteLog(5);
  int flipped = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory_.path())) {
    if (!file.is_regular_file()) {
      continue;
    }
    const std::string path = file.path().string();
    const std::string content = *ReadFileBounded(path, 1 << 20);
    for (std::size_t i = 0; i < content.size(); ++i, ++flipped) {
      std::string altered = content;
      altered[i] = static_cast<char>(altered[i] ^ 4);
      SLUIS_ASSERT_OK(WriteFileAtomically(path, altered, 0644));
      EXPECT_THAT(Verify(), StatusIs(absl::StatusCode::kDataLoss, "")) << path << " byte " << i;
    }
    for (const std::string& altered : {content + "x", content.substr(1), content.substr(0, content.size() - 1)}) {
      SLUIS_ASSERT_OK(WriteFileAtomically(path, altered, 0644));
      EXPECT_THAT(Verify(), StatusIs(absl::StatusCode::kDataLoss, "")) << path;
    }
    std::filesystem::remove(path);
    EXPECT_THAT(Verify(), StatusIs(absl::StatusCode::kDataLoss, "cannot be read")) << path;
    SLUIS_ASSERT_OK(WriteFileAtomically(path, content, 0644));
    SLUIS_EXPECT_OK(Verify());
  }
  EXPECT_GT(flipped, 300);
}

TEST_F(LogVerifierTest, SaysWhichFileAndEntryIsWrong) {
  WriteLog(600);
  const auto flip = [&](const std::string& name, std::size_t at) {
    std::string content = *ReadFileBounded(directory_ / name, 1 << 20);
    content[at] = static_cast<char>(content[at] ^ 1);
    SLUIS_ASSERT_OK(WriteFileAtomically(directory_ / name, content, 0644));
  };
  flip("tile/0/001", 32 * 10);
  EXPECT_THAT(Verify(), StatusIs(absl::StatusCode::kDataLoss, "tile/0/001: hash 10 does not agree with entry 266"));
  flip("tile/0/001", 32 * 10);
  flip("tile/1/000.p/2", 32);
  EXPECT_THAT(Verify(), StatusIs(absl::StatusCode::kDataLoss, "tile/1/000.p/2: hash 1 does not agree with tile/0/001"));
  flip("tile/1/000.p/2", 32);
  flip("tile/entries/002.p/88", 1);
  EXPECT_THAT(Verify(), StatusIs(absl::StatusCode::kDataLoss, "entries/002.p/88"));
  flip("tile/entries/002.p/88", 1);
  flip("tile/entries/000", 2);
  EXPECT_THAT(Verify(), StatusIs(absl::StatusCode::kDataLoss, "tile/0/000: hash 0 does not agree with entry 0"));
}

TEST_F(LogVerifierTest, ReadsTheFullTileWhenThePartialOneIsGone) {
  WriteLog(250);
  const std::string old_checkpoint = checkpoint_;
  WriteLog(300);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "tile/0/000.p"));
  SLUIS_ASSERT_OK(WriteFileAtomically(directory_ / "checkpoint", old_checkpoint, 0644));
  EXPECT_EQ(Verify()->size, 250u);
}

TEST_F(LogVerifierTest, ComparesWithAnOlderCheckpoint) {
  WriteLog(0);
  const std::string empty = checkpoint_;
  WriteLog(300);
  const std::string older = checkpoint_;
  WriteLog(400);
  SLUIS_EXPECT_OK(Verify(empty));
  SLUIS_EXPECT_OK(Verify(older));
  SLUIS_EXPECT_OK(Verify(checkpoint_));
  const auto sign = [](std::uint64_t size, const Hash256& root) {
    return *SignNote(FormatCheckpoint({kOrigin, size, root, ""}), kOrigin, TestKey());
  };
  EXPECT_THAT(Verify(sign(300, Hash256{})),
              StatusIs(absl::StatusCode::kDataLoss, "first 300 entries are not those of the older checkpoint"));
  EXPECT_THAT(Verify(sign(0, Hash256{})), StatusIs(absl::StatusCode::kDataLoss, "first 0 entries"));
  EXPECT_THAT(Verify(sign(401, Hash256{})), StatusIs(absl::StatusCode::kDataLoss, "shrunk from 401 to 400"));
  EXPECT_THAT(Verify("rubbish"), StatusIs(absl::StatusCode::kInvalidArgument, "older checkpoint"));
}

TEST_F(LogVerifierTest, RefusesARootThatTheEntriesDoNotHave) {
  WriteLog(10);
  Hash256 root = VerifyCheckpoint(checkpoint_, std::vector<VerifierKey>{TestVerifierKey()})->root;
  root[5] ^= 1;
  SLUIS_ASSERT_OK(WriteFileAtomically(directory_ / "checkpoint",
                                      *SignNote(FormatCheckpoint({kOrigin, 10, root, ""}), kOrigin, TestKey()), 0644));
  EXPECT_THAT(Verify(), StatusIs(absl::StatusCode::kDataLoss, "root over all entries"));
}

TEST_F(LogVerifierTest, AcceptsTheVectorLogAndTheLogOfTessera) {
  const std::string own = TestData("vectors/own-tlog-vectors");
  const std::string tessera = TestData("vectors/tessera-testlog/testdata/log");
  if (own.empty() || tessera.empty()) {
    GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
  }
  const auto key = ParseVerifierKey(*ReadFileBounded(own + "/vkey", 1000));
  SLUIS_ASSERT_OK(key);
  EXPECT_EQ(VerifyLogDirectory(own + "/log", {*key, std::nullopt, nullptr})->size, 700u);
  // Published with the test log of transparency-dev/tessera.
  const auto tessera_key =
      ParseVerifierKey("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx");
  SLUIS_ASSERT_OK(tessera_key);
  for (int older = 1; older <= 15; ++older) {
    const std::string checkpoint = *ReadFileBounded(tessera + "/checkpoint." + std::to_string(older), 10'000);
    EXPECT_EQ(VerifyLogDirectory(tessera, {*tessera_key, checkpoint, nullptr})->size, 15u);
  }
}

TEST_F(LogVerifierTest, EveryFlippedByteOfAProofOrEntryIsRefused) {
  auto log = LogWriter::Open(*store_, kOrigin, TestKey(), "");
  SLUIS_ASSERT_OK(log);
  SLUIS_ASSERT_OK((*log)->Append(TestEntries(0, 7), WriteBatch()));
  const std::string proof = *(*log)->ProveInclusion(4);
  const std::string entry = TestEntry(4);
  const auto verified = VerifyTlogProof(proof, entry, TestVerifierKey());
  SLUIS_ASSERT_OK(verified);
  EXPECT_EQ(verified->index, 4u);
  EXPECT_EQ(verified->checkpoint.size, 7u);
  for (std::size_t i = 0; i < proof.size(); ++i) {
    std::string altered = proof;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_FALSE(VerifyTlogProof(altered, entry, TestVerifierKey()).ok()) << i;
    EXPECT_FALSE(VerifyTlogProof(proof.substr(0, i), entry, TestVerifierKey()).ok()) << i;
  }
  for (std::size_t i = 0; i < entry.size(); ++i) {
    std::string altered = entry;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_THAT(VerifyTlogProof(proof, altered, TestVerifierKey()),
                StatusIs(absl::StatusCode::kDataLoss, "leads to another root"));
  }
  EXPECT_THAT(VerifyTlogProof(proof, entry, TestVerifierKey(kOrigin, 8)),
              StatusIs(absl::StatusCode::kDataLoss, "not signed by a key"));
}

}  // namespace
}  // namespace sluis::common
