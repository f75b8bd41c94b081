#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "common/permit/permit.h"
#include "linker/encode/encoding_plan.h"
#include "tests/linker/store/country.h"

// Made-up people for tests of linkage by similarity.

namespace sluis::linker::testing {

// ExamplePermit with five features, which all three registers have, and match key "bsn" alone where it matters: the
// residue is what lacks it.
common::Permit SimilarPermit();

// The values of SimilarPermit's features, in its order; empty: missing.
using Person = std::vector<std::string>;

// Returns `count` people, all different; the same for the same seed.
std::vector<Person> MakePeople(std::size_t count, std::uint32_t seed);
// Returns the person as another clerk wrote it down: a slip in one value or two, or a value missing.
Person WithSlips(Person person, std::mt19937& random);

// Returns the record-level encodings of `people`, one after another, as a custodian with `noise` as its secret makes
// them.
std::string Encode(const std::vector<Person>& people, const std::string& noise);
// As Encode, by another plan over the same features.
std::string EncodeBy(const EncodingPlan& plan, const std::vector<Person>& people, const std::string& noise);
// Encodings of any bytes, for tests of what is kept: the same for the same label.
std::string AnyEncodings(std::size_t records, const std::string& label);

// As MakeExtract, under SimilarPermit; `encodings`: of all records.
Extract MakeEncodedExtract(const std::string& register_name, const std::string& delivery_id,
                           const std::vector<Keys>& records, const std::string& encodings,
                           std::uint32_t chunk_records = 64, const std::string& replaces = "");

}  // namespace sluis::linker::testing
