#include "common/tlog/verifier.h"

#include <algorithm>
#include <cstdio>

#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"
#include "common/tlog/proof.h"

namespace sluis::common {
namespace {

constexpr std::uint64_t kWidth = 256;
constexpr std::uint64_t kMaxBundleBytes = kWidth * (2 + 65'535);

// A message of its own for each domain, so that no entry can pass for an inner node.
Hash256 HashEntry(std::string_view entry) { return Sha256(std::string(1, '\0').append(entry)); }
Hash256 HashPair(const Hash256& left, const Hash256& right) {
  return Sha256(std::string(1, '\1').append(AsChars(left)).append(AsChars(right)));
}

// Computes the root of a growing tree by merging equal neighbours, as one carries when counting in binary.
class RootStack {
 public:
  void Push(const Hash256& leaf_hash) {
    stack_.push_back(leaf_hash);
    ++count_;
    for (std::uint64_t carry = count_; carry % 2 == 0; carry /= 2) {
      const Hash256 right = stack_.back();
      stack_.pop_back();
      stack_.back() = HashPair(stack_.back(), right);
    }
  }
  [[nodiscard]] Hash256 Root() const {
    if (stack_.empty()) {
      return Sha256({});
    }
    Hash256 root = stack_.back();
    for (auto left = stack_.rbegin() + 1; left != stack_.rend(); ++left) {
      root = HashPair(*left, root);
    }
    return root;
  }

 private:
  std::vector<Hash256> stack_;
  std::uint64_t count_ = 0;
};

std::string FileName(const std::string& level, std::uint64_t index, std::uint64_t width) {
  std::string digits = std::to_string(index);
  digits.insert(0, (3 - digits.size() % 3) % 3, '0');
  std::string name = "tile/" + level + "/";
  for (std::size_t i = 0; i < digits.size(); i += 3) {
    const bool last = i + 3 == digits.size();
    name += (last ? "" : "x") + digits.substr(i, 3) + (last ? "" : "/");
  }
  return width == kWidth ? name : name + ".p/" + std::to_string(width);
}

struct NamedBytes {
  std::string name;
  std::string bytes;
};

// Reads the tile or bundle of `width`, or the full one if the partial one is gone.
absl::StatusOr<NamedBytes> ReadTile(const std::string& directory, const std::string& level, std::uint64_t index,
                                    std::uint64_t width) {
  NamedBytes tile{FileName(level, index, width), {}};
  absl::StatusOr<std::string> bytes = ReadFileBounded(directory + "/" + tile.name, kMaxBundleBytes);
  if (absl::IsNotFound(bytes.status()) && width != kWidth) {
    const std::string full = FileName(level, index, kWidth);
    if (absl::StatusOr<std::string> fallback = ReadFileBounded(directory + "/" + full, kMaxBundleBytes);
        fallback.ok()) {
      tile.name = full;
      bytes = std::move(fallback);
    }
  }
  if (!bytes.ok()) {
    return absl::DataLossError(tile.name + " cannot be read: " + std::string(bytes.status().message()));
  }
  tile.bytes = *std::move(bytes);
  return tile;
}

// Compares the tile file with the hashes `expected` that it must hold.
absl::Status CheckTile(const std::string& directory, int level, std::uint64_t index,
                       std::span<const Hash256> expected) {
  SLUIS_ASSIGN_OR_RETURN(const NamedBytes tile, ReadTile(directory, std::to_string(level), index, expected.size()));
  const bool full = tile.name == FileName(std::to_string(level), index, kWidth);
  if (tile.bytes.size() != 32 * (full ? kWidth : expected.size())) {
    return absl::DataLossError(tile.name + " has the wrong length");
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (std::string_view(tile.bytes).substr(32 * i, 32) != AsChars(expected[i])) {
      return absl::DataLossError(tile.name + ": hash " + std::to_string(i) + " does not agree with " +
                                 (level == 0 ? "entry " + std::to_string(index * kWidth + i)
                                             : FileName(std::to_string(level - 1), index * kWidth + i, kWidth)));
    }
  }
  return absl::OkStatus();
}

// Calls `visit` for the first `count` entries of the bundle at `index`.
absl::Status ForEachEntry(const std::string& directory, std::uint64_t index, std::uint64_t count,
                          const std::function<absl::Status(std::string_view)>& visit) {
  SLUIS_ASSIGN_OR_RETURN(const NamedBytes bundle, ReadTile(directory, "entries", index, count));
  const bool full = bundle.name == FileName("entries", index, kWidth);
  std::string_view rest = bundle.bytes;
  for (std::uint64_t i = 0; i < (full ? kWidth : count); ++i) {
    const std::uint64_t number = index * kWidth + i;
    const std::size_t length =
        rest.size() < 2 ? 0 : static_cast<unsigned char>(rest[0]) * 256u + static_cast<unsigned char>(rest[1]);
    if (rest.size() < 2 + length) {
      return absl::DataLossError(bundle.name + " ends within entry " + std::to_string(number));
    }
    if (i < count) {
      SLUIS_RETURN_IF_ERROR(visit(rest.substr(2, length)));
    }
    rest.remove_prefix(2 + length);
  }
  if (!rest.empty()) {
    return absl::DataLossError(bundle.name + " has bytes after its last entry");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckInclusion(std::uint64_t index, std::uint64_t size, const Hash256& leaf_hash,
                            std::span<const Hash256> path, const Hash256& root) {
  if (index >= size) {
    return absl::DataLossError("inclusion proof: the index is not below the size of the tree");
  }
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Hash256 hash = leaf_hash;
  for (const Hash256& sibling : path) {
    if (last == 0) {
      return absl::DataLossError("inclusion proof: too many hashes");
    }
    if (node % 2 == 1 || node == last) {
      hash = HashPair(sibling, hash);
      while (node % 2 == 0 && node != 0) {
        node /= 2;
        last /= 2;
      }
    } else {
      hash = HashPair(hash, sibling);
    }
    node /= 2;
    last /= 2;
  }
  if (last != 0) {
    return absl::DataLossError("inclusion proof: too few hashes");
  }
  return hash == root ? absl::OkStatus() : absl::DataLossError("inclusion proof: leads to another root");
}

absl::Status CheckConsistency(std::uint64_t old_size, std::uint64_t new_size, const Hash256& old_root,
                              const Hash256& new_root, std::span<const Hash256> path) {
  if (old_size > new_size) {
    return absl::DataLossError("consistency proof: the log has shrunk");
  }
  if (old_size == 0) {
    return absl::InvalidArgumentError("consistency proof: nothing can be proved about the empty log");
  }
  if (old_size == new_size) {
    return path.empty() && old_root == new_root
               ? absl::OkStatus()
               : absl::DataLossError("consistency proof: equal sizes need equal roots and no hashes");
  }
  std::uint64_t node = old_size - 1;
  std::uint64_t last = new_size - 1;
  while (node % 2 == 1) {
    node /= 2;
    last /= 2;
  }
  // If the old tree is one perfect subtree, its root begins the path.
  const bool perfect = node == 0;
  if (!perfect && path.empty()) {
    return absl::DataLossError("consistency proof: too few hashes");
  }
  Hash256 old_hash = perfect ? old_root : path[0];
  Hash256 new_hash = old_hash;
  for (const Hash256& sibling : perfect ? path : path.subspan(1)) {
    if (last == 0) {
      return absl::DataLossError("consistency proof: too many hashes");
    }
    if (node % 2 == 1 || node == last) {
      old_hash = HashPair(sibling, old_hash);
      new_hash = HashPair(sibling, new_hash);
      while (node % 2 == 0 && node != 0) {
        node /= 2;
        last /= 2;
      }
    } else {
      new_hash = HashPair(new_hash, sibling);
    }
    node /= 2;
    last /= 2;
  }
  if (last != 0) {
    return absl::DataLossError("consistency proof: too few hashes");
  }
  return old_hash == old_root && new_hash == new_root ? absl::OkStatus()
                                                      : absl::DataLossError("consistency proof: leads to other roots");
}

absl::StatusOr<VerifiedInclusion> VerifyTlogProof(std::string_view proof, std::string_view entry,
                                                  const VerifierKey& key) {
  SLUIS_ASSIGN_OR_RETURN(const TlogProof parsed, ParseTlogProof(proof));
  SLUIS_ASSIGN_OR_RETURN(Checkpoint checkpoint, VerifyCheckpoint(parsed.checkpoint, {&key, 1}));
  SLUIS_RETURN_IF_ERROR(CheckInclusion(parsed.index, checkpoint.size, HashEntry(entry), parsed.path, checkpoint.root));
  return VerifiedInclusion{parsed.index, std::move(checkpoint)};
}

absl::StatusOr<Checkpoint> VerifyLogDirectory(const std::string& directory, const LogVerification& verification) {
  const absl::StatusOr<std::string> note = ReadFileBounded(directory + "/checkpoint", kMaxNoteBytes);
  if (!note.ok()) {
    return absl::DataLossError("checkpoint cannot be read: " + std::string(note.status().message()));
  }
  const absl::StatusOr<Checkpoint> checkpoint = VerifyCheckpoint(*note, {&verification.key, 1});
  if (!checkpoint.ok()) {
    return absl::DataLossError("checkpoint: " + std::string(checkpoint.status().message()));
  }
  std::optional<Checkpoint> older;
  if (verification.older_checkpoint.has_value()) {
    absl::StatusOr<Checkpoint> verified = VerifyCheckpoint(*verification.older_checkpoint, {&verification.key, 1});
    SLUIS_RETURN_IF_ERROR(Annotate(verified.status(), "older checkpoint"));
    older = *std::move(verified);
    if (older->size > checkpoint->size) {
      return absl::DataLossError("the log has shrunk from " + std::to_string(older->size) + " to " +
                                 std::to_string(checkpoint->size) + " entries");
    }
  }
  // OK once the tree has the size of the older checkpoint and its root.
  const auto check_older = [&](std::uint64_t size, const RootStack& tree) -> absl::Status {
    if (older.has_value() && older->size == size && older->root != tree.Root()) {
      return absl::DataLossError("the log's first " + std::to_string(size) +
                                 " entries are not those of the older checkpoint");
    }
    return absl::OkStatus();
  };

  RootStack tree;
  std::uint64_t done = 0;
  SLUIS_RETURN_IF_ERROR(check_older(0, tree));
  std::vector<Hash256> level_hashes;  // of the level above, while it is being computed
  for (std::uint64_t index = 0; done < checkpoint->size; ++index) {
    std::vector<Hash256> leaves;
    RootStack tile;
    SLUIS_RETURN_IF_ERROR(
        ForEachEntry(directory, index, std::min(kWidth, checkpoint->size - done), [&](std::string_view entry) {
          leaves.push_back(HashEntry(entry));
          tile.Push(leaves.back());
          tree.Push(leaves.back());
          SLUIS_RETURN_IF_ERROR(check_older(done + leaves.size(), tree));
          return verification.visit ? verification.visit(done + leaves.size() - 1, entry) : absl::OkStatus();
        }));
    SLUIS_RETURN_IF_ERROR(CheckTile(directory, 0, index, leaves));
    done += leaves.size();
    if (leaves.size() == kWidth) {
      level_hashes.push_back(tile.Root());
    }
  }
  for (int level = 1; !level_hashes.empty(); ++level) {
    std::vector<Hash256> above;
    for (std::size_t first = 0; first < level_hashes.size(); first += kWidth) {
      const auto hashes = std::span<const Hash256>(level_hashes)
                              .subspan(first, std::min<std::size_t>(kWidth, level_hashes.size() - first));
      SLUIS_RETURN_IF_ERROR(CheckTile(directory, level, first / kWidth, hashes));
      if (hashes.size() == kWidth) {
        RootStack tile;
        for (const Hash256& hash : hashes) {
          tile.Push(hash);
        }
        above.push_back(tile.Root());
      }
    }
    level_hashes = std::move(above);
  }
  if (tree.Root() != checkpoint->root) {
    return absl::DataLossError("the root over all entries is not that of the checkpoint");
  }
  return *checkpoint;
}

}  // namespace sluis::common
