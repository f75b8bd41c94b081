#pragma once

#include <string>
#include <vector>

#include "tests/integration/world.h"

namespace sluis::testing {

struct MeasuredOutcome {
  Outcome outcome;
  long peak_kib = 0;  // the largest resident set that the program ever had
};

// `sluis ARGUMENTS` in the world's folder, run to its end.
MeasuredOutcome MeasureSluis(const World& world, const std::vector<std::string>& arguments);

}  // namespace sluis::testing
