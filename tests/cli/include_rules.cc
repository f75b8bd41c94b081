#include "tests/cli/include_rules.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace sluis::cli::testing {
namespace {

constexpr std::size_t kMaxLines = 500;
constexpr std::array<std::string_view, 6> kFolders = {"common", "keys", "linker", "disclosure", "cli", "tests"};

// Where libsodium is called. Secrets and primitives are wrapped in common/bytes and common/crypto; keys/oprf needs the
// group itself, the others a constant-time helper or a hash that has no wrapper.
constexpr std::array<std::string_view, 7> kSodium = {"common/bytes/",
                                                     "common/crypto/",
                                                     "keys/oprf/",
                                                     "common/keystore/key_entry.cc",
                                                     "cli/app/key_file.cc",
                                                     "cli/prepare/pseudonymise.cc",
                                                     "linker/store/link_set.cc"};

bool In(std::string_view file, std::string_view folder) { return file.starts_with(folder); }

bool InServerFolder(std::string_view file) {
  return file.find("/server/") != std::string_view::npos || file.find("/rpc/") != std::string_view::npos;
}

// The file that is included by this line, with its brackets taken off; empty if none is.
std::string_view IncludedBy(std::string_view line) {
  const std::size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || line[hash] != '#') return {};
  const std::size_t word = line.find_first_not_of(" \t", hash + 1);
  if (word == std::string_view::npos || !line.substr(word).starts_with("include")) return {};
  const std::size_t open = line.find_first_of("<\"", word);
  if (open == std::string_view::npos) return {};
  const std::size_t close = line.find_first_of(">\"", open + 1);
  if (close == std::string_view::npos) return {};
  return line.substr(open + 1, close - open - 1);
}

// The rule that `file` (tests/ taken off) breaks by including `included`, or empty.
std::string_view Broken(std::string_view file, bool is_test, std::string_view included) {
  const bool is_wire = In(included, "grpc/") || In(included, "grpcpp/") || included.ends_with(".pb.h");
  const bool may_use_wire =
      InServerFolder(file) || In(file, "common/document/") || In(file, "cli/") || In(file, "integration/");
  if (is_wire && !may_use_wire)
    return "gRPC and generated headers only in */server, common/rpc, common/document and cli";
  if (In(included, "rocksdb/") && !In(file, "common/store/")) return "RocksDB only in common/store";
  if ((In(included, "Clp") || In(included, "Coin") || In(included, "Cbc") || In(included, "Osi")) &&
      !In(file, "disclosure/lp/")) {
    return "Clp and its family only in disclosure/lp";
  }
  if (is_test) return {};

  if ((included == "sodium.h" || In(included, "sodium/")) &&
      std::ranges::none_of(kSodium, [&](std::string_view allowed) { return In(file, allowed); })) {
    return "libsodium only where it is wrapped, and where this test lists it";
  }
  if (In(included, "tests/")) return "sources do not include tests";
  const bool keys = In(included, "keys/"), linker = In(included, "linker/"), disclosure = In(included, "disclosure/");
  if (In(included, "cli/") && !In(file, "cli/")) return "only cli includes cli";
  if (In(file, "common/") && (keys || linker || disclosure)) return "common includes no component";
  if (In(file, "keys/") && (linker || disclosure)) return "keys includes neither linker nor disclosure";
  if (In(file, "linker/") && disclosure) return "linker does not include disclosure";
  if (In(file, "disclosure/") && linker) return "disclosure does not include linker";
  if ((In(file, "linker/") || In(file, "disclosure/")) && keys && !In(included, "keys/oprf/")) {
    return "of keys, linker and disclosure include the client side of keys/oprf only";
  }
  if (!In(file, "keys/") && included == "keys/oprf/server.h") return "evaluation is for the key holder alone";
  if (In(file, "disclosure/attack/") && In(included, "disclosure/suppress/")) {
    return "the attack shares nothing with the suppression that it tries";
  }
  return {};
}

}  // namespace

std::vector<Breach> CheckFile(std::string_view file, std::string_view text) {
  std::vector<Breach> breaches;
  const bool is_test = In(file, "tests/");
  const std::string_view place = is_test ? file.substr(std::string_view("tests/").size()) : file;
  // Benchmarks measure whole ways and stand for no component.
  const bool is_bench = In(place, "bench/");
  std::istringstream lines{std::string(text)};
  std::string line;
  std::size_t number = 0;
  while (std::getline(lines, line)) {
    ++number;
    const std::string_view included = IncludedBy(line);
    if (included.empty() || is_bench) continue;
    const std::string_view rule = Broken(place, is_test, included);
    if (!rule.empty()) breaches.push_back({std::string(file), number, std::string(rule)});
  }
  if (number > kMaxLines) breaches.push_back({std::string(file), 0, "no file above 500 lines"});
  return breaches;
}

std::vector<std::string> SourceFiles(const std::filesystem::path& root) {
  std::vector<std::string> files;
  for (const std::string_view folder : kFolders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() && (extension == ".h" || extension == ".cc")) {
        files.push_back(std::filesystem::relative(entry.path(), root).generic_string());
      }
    }
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace sluis::cli::testing
