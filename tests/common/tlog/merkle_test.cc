#include "common/tlog/merkle.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "common/tlog/verifier.h"
#include "gtest/gtest.h"
#include "tests/common/tlog/log_fixtures.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::NaiveRoot;
using ::sluis::common::testing::StatusIs;
using ::sluis::common::testing::TestData;
using ::sluis::common::testing::TestEntries;
using ::sluis::common::testing::TestEntry;

// Computes subtrees by the definition, and counts reads beyond the size it was made for.
struct NaiveReader {
  explicit NaiveReader(std::uint64_t size) : entries(TestEntries(0, size)) {}
  SubtreeReader Get() {
    return [this](int height, std::uint64_t index) -> absl::StatusOr<Hash256> {
      const std::uint64_t begin = index << height;
      const std::uint64_t end = (index + 1) << height;
      if (end > entries.size()) {
        return absl::OutOfRangeError("read beyond the tree");
      }
      return NaiveRoot(entries, begin, end);
    };
  }
  std::vector<std::string> entries;
};

// Published values: RFC 6962 test leaves as used by every Certificate Transparency implementation.
TEST(Merkle, HashesTheEmptyTreeLeafAndNodeAsRfc6962) {
  EXPECT_EQ(HexEncode(AsChars(RootOver({}))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexEncode(AsChars(LeafHash(""))), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  const Hash256 left = LeafHash("");
  const Hash256 right = LeafHash(std::string(1, '\0'));
  EXPECT_EQ(HexEncode(AsChars(NodeHash(left, right))),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
}

TEST(Merkle, RootsAgreeWithTheDefinitionForAllSizesTo600) {
  const std::vector<std::string> entries = TestEntries(0, 600);
  std::vector<Hash256> leaves;
  for (std::size_t size = 0; size <= 600; ++size) {
    const Hash256 expected = NaiveRoot(entries, 0, size);
    EXPECT_EQ(RootOver(leaves), expected) << size;
    if (size < 600) {
      leaves.push_back(LeafHash(entries[size]));
    }
  }
}

TEST(Merkle, EveryInclusionProofOfSmallTreesVerifiesAndNoAlteredOneDoes) {
  for (std::uint64_t size = 1; size <= 34; ++size) {
    NaiveReader reader(size);
    const Hash256 root = NaiveRoot(reader.entries, 0, size);
    EXPECT_EQ(*RootOfSize(size, reader.Get()), root);
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = InclusionProof(index, size, reader.Get());
      SLUIS_ASSERT_OK(proof);
      const Hash256 leaf = LeafHash(TestEntry(index));
      SLUIS_ASSERT_OK(CheckInclusion(index, size, leaf, *proof, root));
      for (std::uint64_t other = 0; other < size; ++other) {
        EXPECT_EQ(CheckInclusion(other, size, leaf, *proof, root).ok(), other == index);
      }
      EXPECT_FALSE(CheckInclusion(size, size, leaf, *proof, root).ok());
      EXPECT_FALSE(CheckInclusion(index, size, LeafHash("other"), *proof, root).ok());
      std::vector<Hash256> longer = *proof;
      longer.push_back(root);
      EXPECT_FALSE(CheckInclusion(index, size, leaf, longer, root).ok());
      for (std::size_t i = 0; i < proof->size(); ++i) {
        std::vector<Hash256> altered = *proof;
        altered[i][31] ^= 1;
        EXPECT_FALSE(CheckInclusion(index, size, leaf, altered, root).ok());
        std::vector<Hash256> shorter = *proof;
        shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_FALSE(CheckInclusion(index, size, leaf, shorter, root).ok());
      }
    }
    EXPECT_THAT(InclusionProof(size, size, reader.Get()),
                StatusIs(absl::StatusCode::kInvalidArgument, "not below the log's size"));
  }
}

TEST(Merkle, EveryConsistencyProofOfSmallTreesVerifiesAndNoAlteredOneDoes) {
  for (std::uint64_t size = 1; size <= 34; ++size) {
    NaiveReader reader(size);
    const Hash256 new_root = NaiveRoot(reader.entries, 0, size);
    for (std::uint64_t old = 1; old <= size; ++old) {
      const Hash256 old_root = NaiveRoot(reader.entries, 0, old);
      const auto proof = ConsistencyProof(old, size, reader.Get());
      SLUIS_ASSERT_OK(proof);
      SLUIS_ASSERT_OK(CheckConsistency(old, size, old_root, new_root, *proof));
      Hash256 wrong = old_root;
      wrong[0] ^= 1;
      EXPECT_FALSE(CheckConsistency(old, size, wrong, new_root, *proof).ok());
      EXPECT_FALSE(CheckConsistency(old, size, old_root, wrong, *proof).ok());
      for (std::size_t i = 0; i < proof->size(); ++i) {
        std::vector<Hash256> altered = *proof;
        altered[i][0] ^= 0x80;
        EXPECT_FALSE(CheckConsistency(old, size, old_root, new_root, altered).ok());
        std::vector<Hash256> shorter = *proof;
        shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_FALSE(CheckConsistency(old, size, old_root, new_root, shorter).ok());
      }
    }
    EXPECT_THAT(ConsistencyProof(0, size, reader.Get()), StatusIs(absl::StatusCode::kInvalidArgument, "0 < old"));
    EXPECT_THAT(ConsistencyProof(size + 1, size, reader.Get()), StatusIs(absl::StatusCode::kInvalidArgument, "old"));
  }
}

// False for anything but 32 bytes, which cannot be given to Sluis as a hash.
bool ToHash(const nlohmann::json& base64, Hash256& hash) {
  const absl::StatusOr<std::string> bytes = Base64Decode(base64.is_string() ? base64.get<std::string>() : "");
  if (!bytes.ok() || bytes->size() != hash.size()) {
    return false;
  }
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return true;
}

bool ToPath(const nlohmann::json& proof, std::vector<Hash256>& path) {
  for (const auto& element : proof.is_array() ? proof : nlohmann::json::array()) {
    if (!ToHash(element, path.emplace_back())) {
      return false;
    }
  }
  return true;
}

template <typename Check>
int ForEachVector(const std::string& directory, Check check) {
  int count = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    if (file.path().extension() == ".json") {
      std::ifstream in(file.path());
      const nlohmann::json vector = nlohmann::json::parse(in);
      std::vector<Hash256> path;
      const bool well_formed = ToPath(vector["proof"], path);
      EXPECT_EQ(well_formed && check(vector, path), !vector["wantErr"].get<bool>()) << file.path();
      ++count;
    }
  }
  return count;
}

TEST(MerkleVectors, InclusionProofsOfTransparencyDev) {
  const std::string directory = TestData("vectors/merkle-transparency-dev/testdata/inclusion");
  if (directory.empty()) {
    GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
  }
  EXPECT_GT(ForEachVector(directory,
                          [](const nlohmann::json& v, const std::vector<Hash256>& path) {
                            Hash256 leaf{};
                            Hash256 root{};
                            return ToHash(v["leafHash"], leaf) && ToHash(v["root"], root) &&
                                   CheckInclusion(v["leafIdx"].get<std::uint64_t>(), v["treeSize"].get<std::uint64_t>(),
                                                  leaf, path, root)
                                       .ok();
                          }),
            80);
}

TEST(MerkleVectors, ConsistencyProofsOfTransparencyDev) {
  const std::string directory = TestData("vectors/merkle-transparency-dev/testdata/consistency");
  if (directory.empty()) {
    GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
  }
  EXPECT_GT(ForEachVector(directory,
                          [](const nlohmann::json& v, const std::vector<Hash256>& path) {
                            // Roots that no tree has are other strings there; any distinct hash does.
                            Hash256 old_root{};
                            Hash256 new_root{};
                            if (!ToHash(v["root1"], old_root)) {
                              old_root = Sha256(v["root1"].get<std::string>());
                            }
                            if (!ToHash(v["root2"], new_root)) {
                              new_root = Sha256(v["root2"].get<std::string>());
                            }
                            return CheckConsistency(v["size1"].get<std::uint64_t>(), v["size2"].get<std::uint64_t>(),
                                                    old_root, new_root, path)
                                .ok();
                          }),
            80);
}

}  // namespace
}  // namespace sluis::common
