#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "common/permit/permit.h"

// What a permit allows, for people who decide about it and for scripts.

namespace sluis::cli {

// Returns how `field` is coarsened before it leaves, in one phrase, such as "age class on 2026-09-30, from 0, 15, 75
// years"; "as it stands" if it is not. Codes are counted, and listed up to twelve.
[[nodiscard]] std::string DescribeCoarsening(const common::PermitField& field);

// Dates, parties, report thresholds, registers with each field and its coarsening, match keys, dimensions, measures.
[[nodiscard]] std::string PermitText(const common::Permit& permit);
[[nodiscard]] nlohmann::ordered_json PermitJson(const common::Permit& permit);

}  // namespace sluis::cli
