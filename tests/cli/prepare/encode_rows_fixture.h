#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "cli/prepare/encode_rows.h"
#include "common/seal/sealed_row.h"
#include "linker/encode/encoding_bytes.h"
#include "linker/encode/match_key.h"
#include "linker/encode/permit_plan.h"
#include "tests/cli/prepare/fixture.h"

namespace sluis::cli {

using common::SimilarityKind;
using common::testing::StatusIs;
using testing::KeyHolder;

// A person as a register knows it, with slips.
struct Person {
  std::string given, surname, birth_date, sex, postcode;
};

inline std::vector<Person> People(int count, std::uint64_t seed) {
  static const char* const kSyllables[] = {"ba",  "der", "fi",  "gon", "ha",  "jan", "ke", "lo", "mun", "na",
                                           "pie", "ro",  "sen", "ti",  "van", "wil", "ze", "ou", "mar", "dek"};
  std::mt19937_64 random(seed);
  const auto word = [&](int syllables) {
    std::string out;
    for (int i = 0; i < syllables; ++i) out += kSyllables[random() % 20];
    return out;
  };
  std::vector<Person> people;
  for (int i = 0; i < count; ++i) {
    const auto two = [&](std::uint64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    people.push_back(
        {word(2), word(3),
         std::to_string(1930 + random() % 80) + "-" + two(1 + random() % 12) + "-" + two(1 + random() % 28),
         random() % 2 == 0 ? "F" : "M",
         std::to_string(1000 + random() % 9000) + static_cast<char>('A' + random() % 26) + "B"});
  }
  return people;
}

// Dice similarity, bit by bit.
inline double Dice(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  int common = 0, ones = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    common += std::popcount(a[i] & b[i]);
    ones += std::popcount(a[i]) + std::popcount(b[i]);
  }
  return ones == 0 ? 0 : 2.0 * common / ones;
}

// Two registers of two custodians. Persons knows five features and two match keys; courses knows four and no key.
class EncodeRowsTest : public testing::PrepareTest {
 protected:
  struct Custodian {
    explicit Custodian(const common::Permit& permit, const std::string& directory)
        : cache(std::make_unique<PseudonymCache>(*store, local_key, permit)),
          states(*DeliveryStates::Open(directory, local_key)) {}
    common::SecretBytes local_key = common::SecretBytes::Random(32);
    std::unique_ptr<common::Store> store = common::MakeMemoryStore(PseudonymCache::Families());
    std::unique_ptr<PseudonymCache> cache;
    DeliveryStates states;
  };

  EncodeRowsTest() {
    Similar(permit_);
    permit_.oprf_public_keys["tokens"] = holder_.key("tokens").public_key();
    population_ = std::make_unique<Custodian>(permit_, root_ + "/population");
    education_ = std::make_unique<Custodian>(permit_, root_ + "/education");
  }

  static void Similar(common::Permit& permit) {
    auto& features = permit.similarity.emplace().features;
    for (const auto& [name, kind] : {std::pair("given_name", SimilarityKind::kName),
                                     {"surname", SimilarityKind::kName},
                                     {"birth_date", SimilarityKind::kDate},
                                     {"sex", SimilarityKind::kCategory},
                                     {"postcode", SimilarityKind::kDigits}}) {
      common::SimilarityFeature& feature = features.emplace_back();
      feature.name = name;
      feature.kind = kind;
    }
    const std::vector<common::FeatureSource> four = {
        {"surname", "surname"}, {"birth_date", "birth_date"}, {"sex", "sex"}, {"postcode", "postcode"}};
    permit.registers[0].features = four;
    permit.registers[0].features.push_back({"given_name", "given_name"});
    permit.registers[1].name = "courses";
    permit.registers[1].match_keys.clear();
    permit.registers[1].features = four;
  }

  std::vector<testing::Row> Rows(const std::string& reg, const std::vector<Person>& people) const {
    std::vector<testing::Row> rows;
    for (std::size_t i = 0; i < people.size(); ++i) {
      const Person& p = people[i];
      testing::Row row;
      if (reg == "persons") row.components = {{"person-" + std::to_string(i)}, {p.birth_date, p.surname}};
      row.attributes = testing::AmountBytes(i);
      row.features = {reg == "persons" ? p.given : "", p.surname, p.birth_date, p.sex, p.postcode};
      rows.push_back(std::move(row));
    }
    return rows;
  }

  absl::StatusOr<DeliveryState> Prepare(Custodian& custodian, const std::string& reg, const std::string& delivery,
                                        const std::vector<testing::Row>& rows, Evaluator& evaluator,
                                        std::size_t batch = 32'768, std::uint32_t chunk_records = 64) {
    testing::VectorSource source(rows);
    DeliveryJob job;
    job.permit = &permit_;
    job.register_name = reg;
    job.delivery_id = delivery;
    PseudonymiseOptions pseudonymise;
    pseudonymise.batch = batch;
    pseudonymise.progress = [this](const PseudonymiseProgress& progress) { progress_.push_back(progress); };
    const common::SecretBytes noise_key = NoiseKey(custodian.local_key, permit_.id);
    SealOptions seal;
    seal.noise_key = &noise_key;
    seal.chunk_records = chunk_records;
    return PrepareDelivery(job, source, evaluator, {*custodian.cache, custodian.states, *spill_, random_}, pseudonymise,
                           seal);
  }

  // The encodings of a prepared delivery; by what the record's amount was (the gate opens it), so that records are
  // found again after the shuffle.
  std::map<std::string, std::vector<std::uint64_t>> Encodings(const Custodian& custodian, const DeliveryState& state) {
    const linker::EncodingPlan plan = *linker::PlanOf(permit_);
    EXPECT_EQ(state.header.encoding_plan_sha256, plan.Digest());
    EXPECT_EQ(state.header.encoding_bytes, linker::EncodingBytes(plan));
    const auto reader =
        SpoolReader::Open(custodian.states.SpoolPath(state.header.register_name, state.header.delivery_id),
                          custodian.states.spool_key(), state.header);
    EXPECT_THAT(reader, common::testing::IsOk());
    const auto opened = common::OpenSealed(gate_, state.header.sealed_data_key);
    EXPECT_THAT(opened, common::testing::IsOk());
    const common::SecretBytes data_key = common::SecretBytes::CopyOf(common::AsBytes(*opened));
    const std::string context =
        common::SealedRowContext(state.header.permit_sha256, state.header.register_name, state.header.delivery_id);
    std::map<std::string, std::vector<std::uint64_t>> out;
    SpoolChunk chunk;
    while (*(*reader)->Next(chunk)) {
      EXPECT_EQ(chunk.encodings.size(), chunk.count * state.header.encoding_bytes);
      for (std::size_t i = 0; i < chunk.count; ++i) {
        linker::Encoding encoding;
        SLUIS_EXPECT_OK(linker::ReadEncodingBytes(
            plan,
            std::string_view(chunk.encodings).substr(i * state.header.encoding_bytes, state.header.encoding_bytes),
            encoding));
        const auto row = common::AeadOpen(
            data_key, context, std::string_view(chunk.rows).substr(i * state.header.row_bytes, state.header.row_bytes));
        EXPECT_THAT(row, common::testing::IsOk());
        out[*row] = encoding.words;
      }
    }
    return out;
  }

  SystemRandom random_;
  std::unique_ptr<Custodian> population_, education_;
  std::vector<PseudonymiseProgress> progress_;
};

}  // namespace sluis::cli
