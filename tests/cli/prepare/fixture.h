#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cli/prepare/prepare.h"
#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "keys/oprf/server.h"

// A small project with real keys, for the tests of the preparation.

namespace sluis::cli::testing {

// A key holder in this process: real keys, real proofs, and the rule that a chunk number stands for the same elements
// for ever. Its faults are those of a key holder that lies or breaks.
class KeyHolder : public Evaluator {
 public:
  struct Call {
    std::string purpose, delivery_id;
    std::uint32_t chunk;
    std::string blinded;
    friend bool operator==(const Call&, const Call&) = default;
  };
  enum class Fault { kNone, kAnotherKeyForTheLast, kSwapsTwo, kDropsTheLast, kLosesTheAnswer };

  KeyHolder() {
    for (const char* purpose : {"identifiers", "match-keys", "tokens"}) {
      keys_.emplace(purpose, keys::KeyPair::Generate());
    }
  }
  const keys::KeyPair& key(const std::string& purpose) const { return keys_.at(purpose); }

  absl::StatusOr<Answer> Evaluate(std::string_view purpose, std::string_view delivery_id, std::uint32_t chunk,
                                  std::string_view blinded) override {
    const Call call{std::string(purpose), std::string(delivery_id), chunk, std::string(blinded)};
    calls.push_back(call);
    const auto [known, is_new] = debited_.emplace(std::tuple(call.purpose, call.delivery_id, chunk), call.blinded);
    if (!is_new && known->second != call.blinded) {
      return absl::FailedPreconditionError("CHUNK_CHANGED");
    }
    debited += is_new ? blinded.size() / keys::kElementSize : 0;
    const keys::KeyPair& key = keys_.at(call.purpose);
    Answer answer;
    SLUIS_ASSIGN_OR_RETURN(answer.evaluated, keys::BlindEvaluate(key, blinded));
    SLUIS_ASSIGN_OR_RETURN(answer.proof, keys::GenerateProof(key, blinded, answer.evaluated));
    const std::size_t last = answer.evaluated.size() - keys::kElementSize;
    switch (fault) {
      case Fault::kNone:
        break;
      case Fault::kAnotherKeyForTheLast: {
        SLUIS_ASSIGN_OR_RETURN(const std::string other,
                               keys::BlindEvaluate(keys::KeyPair::Generate(), blinded.substr(last)));
        answer.evaluated.replace(last, keys::kElementSize, other);
        break;
      }
      case Fault::kSwapsTwo: {
        const std::string first = answer.evaluated.substr(0, keys::kElementSize);
        answer.evaluated.replace(0, keys::kElementSize, answer.evaluated.substr(last));
        answer.evaluated.replace(last, keys::kElementSize, first);
        break;
      }
      case Fault::kDropsTheLast:
        answer.evaluated.resize(last);
        break;
      case Fault::kLosesTheAnswer:
        if (calls.size() == fail_at_call) {
          return absl::UnavailableError("connection lost");
        }
        break;
    }
    return answer;
  }

  Fault fault = Fault::kNone;
  std::size_t fail_at_call = 0;
  std::vector<Call> calls;
  std::uint64_t debited = 0;

 private:
  std::map<std::string, keys::KeyPair> keys_;
  std::map<std::tuple<std::string, std::string, std::uint32_t>, std::string> debited_;
};

struct Row {
  std::vector<std::vector<std::string>> components;
  std::string attributes;
  std::vector<std::string> features = {};
};

class VectorSource : public RowSource {
 public:
  explicit VectorSource(std::vector<Row> rows) : rows_(std::move(rows)) {}
  absl::StatusOr<bool> Next(SourceRow& row) override {
    if (next_ == rows_.size()) {
      return false;
    }
    const Row& from = rows_[next_++];
    row.components.clear();
    for (const auto& values : from.components) {
      row.components.emplace_back(values.begin(), values.end());
    }
    row.features.assign(from.features.begin(), from.features.end());
    row.attributes = from.attributes;
    return true;
  }
  std::size_t read() const { return next_; }

 private:
  std::vector<Row> rows_;
  std::size_t next_ = 0;
};

class SeededRandom : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t Next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

// Two registers: persons (keys bsn and birth_name) and jobs (key bsn), with one amount of 8 bytes each.
inline common::Permit MakePermit(const KeyHolder& holder, const common::SealingKeyPair& gate) {
  using common::Normaliser;
  common::Permit permit;
  permit.id = "integration-monitor";
  permit.sha256[0] = 1;
  common::PermitField amount;
  amount.name = "amount";
  amount.source = "amount";
  amount.type = common::FieldType::kInteger;
  amount.unit = "EUR/month";
  common::PermitRegister persons;
  persons.name = "persons";
  persons.backbone = true;
  persons.fields = {amount};
  persons.match_keys = {"bsn", "birth_name"};
  persons.max_records = 1'000'000;
  common::PermitRegister jobs = persons;
  jobs.name = "jobs";
  jobs.backbone = false;
  jobs.many_per_person = true;
  jobs.match_keys = {"bsn"};
  permit.registers = {persons, jobs};
  permit.match_keys = {
      {"bsn", "identifiers", {{"bsn", Normaliser::kText}}},
      {"birth_name", "match-keys", {{"birth_date", Normaliser::kDate}, {"surname", Normaliser::kPhoneticName}}}};
  for (const char* purpose : {"identifiers", "match-keys"}) {
    permit.oprf_public_keys[purpose] = holder.key(purpose).public_key();
  }
  permit.gate_sealing_key = gate.public_key;
  return permit;
}

// Attributes that can be told from each other and found in a file.
inline std::string AmountBytes(std::uint64_t number) {
  std::string bytes = "AM";
  for (int i = 0; i < 6; ++i) {
    bytes.push_back(static_cast<char>('0' + number % 10));
    number /= 10;
  }
  return bytes;
}

class PrepareTest : public ::testing::Test {
 protected:
  PrepareTest() {
    std::string pattern = ::testing::TempDir() + "prepare-XXXXXX";
    root_ = mkdtemp(pattern.data());
    auto spill = common::SpillDirectory::Open(root_ + "/tmp");
    EXPECT_THAT(spill, common::testing::IsOk());
    spill_ = std::make_unique<common::SpillDirectory>(*std::move(spill));
    ResetCache();
  }
  ~PrepareTest() override {
    spill_.reset();
    std::filesystem::remove_all(root_);
  }

  void ResetCache() {
    cache_.reset();
    store_ = common::MakeMemoryStore(PseudonymCache::Families());
    cache_ = std::make_unique<PseudonymCache>(*store_, local_key_, permit_);
  }

  // `count` persons numbered from `first`; every tenth has no birth date.
  static std::vector<Row> Persons(int first, int count) {
    std::vector<Row> rows;
    for (int i = first; i < first + count; ++i) {
      rows.push_back({{{"person-" + std::to_string(i)},
                       {i % 10 == 0 ? "" : "1980-01-" + std::to_string(10 + i % 20), "van der Berg" + Letters(i)}},
                      AmountBytes(static_cast<std::uint64_t>(i))});
    }
    return rows;
  }
  static std::vector<Row> Jobs(int first, int count) {
    std::vector<Row> rows = Persons(first, count);
    for (Row& row : rows) {
      row.components.resize(1);
    }
    return rows;
  }
  static std::string Letters(int i) {
    std::string letters;
    for (; i > 0; i /= 10) {
      letters += "bdfgklmnpr"[i % 10];
      letters += 'a';
    }
    return letters;
  }

  static DeliveryName Name(const std::string& reg, const std::string& delivery) {
    return {"integration-monitor", reg, delivery};
  }

  absl::StatusOr<PseudonymisedRows> Run(const std::string& reg, const std::string& delivery, std::vector<Row> rows,
                                        std::size_t batch = 32'768) {
    VectorSource source(std::move(rows));
    PseudonymiseOptions options;
    options.batch = batch;
    return Pseudonymise(permit_, Name(reg, delivery), source, holder_, *cache_, *spill_, options);
  }

  // The pseudonym computed with the key itself, without blinding: k * H(x).
  std::string PseudonymOf(const std::string& purpose, const std::string& input) const {
    keys::Element hashed;
    keys::Suite(keys::Mode::kVoprf).HashToGroup(input, hashed);
    keys::Element pseudonym;
    EXPECT_TRUE(keys::MultiplyElement(
        std::span<const std::uint8_t, 32>(holder_.key(purpose).secret_scalar().ExposeForUse().data(), 32),
        hashed.data(), pseudonym));
    return std::string(common::AsChars(pseudonym));
  }

  std::string root_;
  KeyHolder holder_;
  common::SealingKeyPair gate_ = common::SealingKeyPair::Generate();
  common::Permit permit_ = MakePermit(holder_, gate_);
  common::SecretBytes local_key_ = common::SecretBytes::Random(32);
  std::unique_ptr<common::SpillDirectory> spill_;
  std::unique_ptr<common::Store> store_;
  std::unique_ptr<PseudonymCache> cache_;
};

}  // namespace sluis::cli::testing
