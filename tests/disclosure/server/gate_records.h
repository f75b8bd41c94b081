#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/rpc/service_log.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "disclosure/server/ledger_store.h"
#include "disclosure/server/release_store.h"
#include "gtest/gtest.h"

// What a gate keeps, in memory.

namespace sluis::disclosure::testing {

// A store in memory whose writes can be made to fail.
class FragileStore final : public common::Store {
 public:
  FragileStore() {
    std::vector<std::string> families = common::LogFamilies();
    for (const std::string& family : ReleaseStore::Families()) families.push_back(family);
    for (const std::string& family : LedgerStore::Families()) families.push_back(family);
    store_ = common::MakeMemoryStore(families);
  }
  absl::StatusOr<std::optional<std::string>> Get(std::string_view family, std::string_view key) const override {
    return store_->Get(family, key);
  }
  absl::Status Scan(std::string_view family, std::string_view prefix, std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return store_->Scan(family, prefix, start, visit);
  }
  absl::Status Write(const common::WriteBatch& batch, bool sync) override {
    if (full) return absl::ResourceExhaustedError("the disk is full");
    return store_->Write(batch, sync);
  }
  std::unique_ptr<common::StoreView> Snapshot() const override { return store_->Snapshot(); }
  bool full = false;

 private:
  std::unique_ptr<common::Store> store_;
};

class GateRecords : public ::testing::Test {
 protected:
  void SetUp() override {
    SLUIS_ASSERT_OK(common::Metrics::Open("", metrics_));
    auto writer = common::LogWriter::Open(
        store_, "log.example/gate",
        common::SigningKey::FromSeed(common::SecretBytes::CopyOf(std::vector<std::uint8_t>(32, 7))), "");
    SLUIS_ASSERT_OK(writer);
    auto log = common::ServiceLog::Open(*std::move(writer), *metrics_);
    SLUIS_ASSERT_OK(log);
    log_ = *std::move(log);
  }
  // A permit of two registers.
  static common::Permit MakePermit(const std::string& id) {
    common::Permit permit;
    permit.id = id;
    permit.retention_end = 20'000;
    for (const std::string name : {"persons", "jobs"}) {
      common::PermitRegister reg;
      reg.name = name;
      reg.custodian = "spiffe://example/custodian/" + name;
      permit.registers.push_back(std::move(reg));
    }
    return permit;
  }
  // Keeps a release with its entry in the log.
  void KeepRelease(const ReleaseStore& releases, const std::string& id) {
    ReleaseRecord record;
    record.entry = common::FormatEntry(common::entry_type::kRelease, 1, {{"release", id}});
    record.files = {"table.csv"};
    SLUIS_ASSERT_OK(
        log_->Append(record.entry, releases.Put(id, record, {{"table.csv", "1"}, {"evidence.sealed", "2"}})));
  }
  std::uint64_t Entries(const std::string& type) const {
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; i < log_->writer().size(); ++i) {
      if (common::ParseEntry(*log_->writer().Entry(i))->type == type) ++count;
    }
    return count;
  }

  FragileStore store_;
  std::unique_ptr<common::Metrics> metrics_;
  std::unique_ptr<common::ServiceLog> log_;
};

}  // namespace sluis::disclosure::testing
