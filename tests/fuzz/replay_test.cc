#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fuzz/targets.h"
#include "tests/long_tests.h"

// The corpus of each target, and damaged copies of it: without a fuzzer, and with whatever compiler.

namespace sluis::fuzz {
namespace {

std::vector<Target> Targets() {
  std::vector<Target> targets(TableTargets().begin(), TableTargets().end());
  targets.insert(targets.end(), DisclosureTargets().begin(), DisclosureTargets().end());
#ifdef SLUIS_FUZZ_DOCUMENTS
  targets.insert(targets.end(), DocumentTargets().begin(), DocumentTargets().end());
#endif
  return targets;
}

std::string Corpus(std::string_view target) {
  const char* root = std::getenv("SLUIS_SOURCE_DIR");
  return std::string(root == nullptr ? "." : root) + "/tests/fuzz/corpus/" + std::string(target);
}

class Replay : public ::testing::TestWithParam<Target> {};

// Random edits of a text: what people and programs do to files.
class Damage {
 public:
  std::string Of(std::string text) {
    const int edits = 1 + static_cast<int>(random_() % 4);
    for (int k = 0; k < edits; ++k) Edit(text);
    return text;
  }

 private:
  void Edit(std::string& text) {
    const std::size_t at = text.empty() ? 0 : random_() % text.size();
    const std::size_t length = std::min<std::size_t>(random_() % 12, text.size() - at);
    switch (random_() % 6) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(at, length));
        break;
      case 2:
        text.insert(at, 1, kLikely[random_() % kLikely.size()]);
        break;
      case 3:
        if (!text.empty()) text[at] = kLikely[random_() % kLikely.size()];
        break;
      case 4:
        if (!text.empty()) text[at] = static_cast<char>(random_());
        break;
      default:
        text.resize(at);
    }
  }

  const std::string kLikely = "0123456789,;\"\n\r\t@.-+ABTmf:()[]{}eE% \xEF\xBB\xBF";
  std::mt19937 random_{20261123};
};

TEST_P(Replay, EveryFileAndItsDamagedCopiesPass) {
  const std::string folder = Corpus(GetParam().name);
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  ASSERT_GE(paths.size(), 2u) << folder;
  Damage damage;
  int accepted = 0;
  for (const std::string& path : paths) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    SCOPED_TRACE(path);
    accepted += GetParam().run(bytes) ? 1 : 0;
    for (int copy = 0; copy < ::sluis::testing::Repetitions(150, 20'000); ++copy) GetParam().run(damage.Of(bytes));
  }
  EXPECT_GT(accepted, 0);
}

INSTANTIATE_TEST_SUITE_P(Corpus, Replay, ::testing::ValuesIn(Targets()),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace sluis::fuzz
