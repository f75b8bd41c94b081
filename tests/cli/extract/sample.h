#pragma once

#include <memory>
#include <string>

#include "cli/extract/plan.h"
#include "common/permit/permit.h"

// A small permit and schema that use every kind of field, coarsening and normaliser of the checks.

namespace sluis::cli::testing {

[[nodiscard]] common::Permit SamplePermit();
[[nodiscard]] std::string SampleSchema();
[[nodiscard]] CodeLists SampleCodeLists();
// A plan from the above, with `schema` instead if it is not empty. Aborts the test if they do not fit.
[[nodiscard]] std::shared_ptr<const ExtractPlan> SamplePlan(const std::string& schema = "");

inline constexpr char kSampleHeader[] = "bsn;geboren;geslacht;postcode;land;loon;uren;start;werkgever;opmerking\n";
inline constexpr char kSampleRow[] = "111222333;19800229;M;1234AB;Turkije;1.234,56;36;2024-05-17;W1;vrije tekst\n";

}  // namespace sluis::cli::testing
