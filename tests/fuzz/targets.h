#pragma once

#include <span>
#include <string_view>

// What is fuzzed. A target takes any bytes, has a reader read them, checks what came out and returns; it aborts if
// something that must hold does not. Each is run by libFuzzer (a program of its own, -DSLUIS_FUZZ=ON) and, over
// the files of tests/fuzz/corpus, by an ordinary test.

namespace sluis::fuzz {

struct Target {
  std::string_view name;                // of its program and of its folder in the corpus
  bool (*run)(std::string_view bytes);  // whether the reader accepted them
};

[[nodiscard]] std::span<const Target> TableTargets();       // cli/tables and what it reads
[[nodiscard]] std::span<const Target> DisclosureTargets();  // certificates, perturbation tables
[[nodiscard]] std::span<const Target> DocumentTargets();    // YAML documents; not with SLUIS_CORE_ONLY

}  // namespace sluis::fuzz
