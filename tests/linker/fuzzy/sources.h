#pragma once

#include <cstdint>
#include <string>

#include "linker/fuzzy/match_plan.h"
#include "linker/fuzzy/match_source.h"

namespace sluis::linker::testing {

// A record-level plan of 1,024 bits with `passes` exact passes.
MatchPlan Plan(std::size_t passes = 0);

// Persons [first, end): encodings that follow from the person, with every 16th bit or so flipped by `noise`.
MatchSource Source(const std::string& name, std::uint32_t first, std::uint32_t end, std::uint32_t noise);

// The same at field level, with four columns of 256 bits; each 20th value is missing, each 10th another.
MatchPlan FieldPlan();
MatchSource FieldSource(const std::string& name, std::uint32_t first, std::uint32_t end, std::uint32_t noise);

}  // namespace sluis::linker::testing
