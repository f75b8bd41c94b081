#include "disclosure/server/ledger_store.h"

#include <set>

#include "tests/disclosure/server/gate_records.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

common::SecretBytes KeyOf(std::uint8_t byte) {
  return common::SecretBytes::CopyOf(std::vector<std::uint8_t>(32, byte));
}

// A table of two cells, the second of which is suppressed.
LedgerEntry MakeEntry(const std::string& project, const std::string& release) {
  LedgerTable table{.release = release, .population = "units of persons"};
  table.axes = {{.variable = "text sex",
                 .codes = {{.everything = true}, {.prefixes = {"F"}}},
                 .columns = {"sex"},
                 .refinement = "",
                 .apart = ""}};
  LedgerMeasure& count = table.measures.emplace_back();
  count.key = "count";
  count.value = {25, 4};
  count.contributors = {25, 4};
  count.top_per_cell = 1;
  count.top = {1, 1};
  count.lower_level = {0, 2};
  count.upper_level = {0, 3};
  count.published = {1, 0};
  const LedgerRegister persons{"spiffe://example/custodian/persons", "persons", "2026"};
  return {.project = project,
          .release = release,
          .backbone = persons,
          .registers = {persons},
          .tables = {std::move(table)},
          .replaces = {}};
}

class LedgerStoreTest : public testing::GateRecords {
 protected:
  LedgerStore Ledger() {
    return LedgerStore(store_, KeyOf(9), [this](const std::string& project) {
      return absl::StatusOr<std::optional<common::SecretBytes>>(destroyed_.contains(project) ? std::nullopt
                                                                                             : std::optional(KeyOf(1)));
    });
  }
  // As a gate keeps it: the release, its entry in the log and that in the ledger at once.
  void Keep(const common::Permit& permit, const std::string& release, std::uint64_t number) {
    const ReleaseStore releases(store_, permit, KeyOf(1));
    ReleaseRecord record;
    record.entry = common::FormatEntry(common::entry_type::kRelease, 1, {{"release", release}});
    common::WriteBatch batch = releases.Put(release, record, {});
    batch.Append(Ledger().Append(number, MakeEntry(permit.id, release), KeyOf(1)));
    SLUIS_ASSERT_OK(log_->Append(record.entry, batch));
  }
  const common::Permit own_ = MakePermit("own-project"), other_ = MakePermit("other-project");
  std::set<std::string> destroyed_;
};

TEST_F(LedgerStoreTest, ReturnsEntriesOfAllProjectsInTheirOrder) {
  Keep(own_, "b", 0);
  Keep(other_, "a", 1);
  const LedgerStore ledger = Ledger();
  EXPECT_EQ(*ledger.Size(), 2u);
  const auto entries = ledger.Load(2);
  SLUIS_ASSERT_OK(entries);
  EXPECT_EQ((*entries)[0].release, "b");
  EXPECT_EQ((*entries)[1].release, "a");
  EXPECT_EQ(EncodeLedgerEntry((*entries)[1]), EncodeLedgerEntry(MakeEntry("other-project", "a")));
  SLUIS_EXPECT_OK(ledger.CheckComplete());
}

TEST_F(LedgerStoreTest, KeepsWhatIsPublicWhenValuesAreTakenAwayOrTheKeyIsDestroyed) {
  Keep(own_, "work", 0);
  const auto check = [&] {
    const auto entries = Ledger().Load(1);
    SLUIS_ASSERT_OK(entries);
    const LedgerTable& table = (*entries)[0].tables[0];
    EXPECT_FALSE(table.values_kept);
    EXPECT_EQ(table.measures[0].value, (std::vector<std::int64_t>{25, 0}));
    EXPECT_EQ(table.measures[0].published, (std::vector<std::uint8_t>{1, 0}));
    EXPECT_TRUE(table.measures[0].contributors.empty());
    EXPECT_TRUE(table.measures[0].top.empty());
    EXPECT_TRUE(table.measures[0].lower_level.empty());
  };
  destroyed_ = {"own-project"};
  check();
  destroyed_ = {};
  common::WriteBatch batch = ReleaseStore::EraseAll("own-project");
  batch.Append(LedgerStore::EraseValues("own-project"));
  SLUIS_ASSERT_OK(store_.Write(batch, true));
  check();
  SLUIS_EXPECT_OK(Ledger().CheckComplete());
}

TEST_F(LedgerStoreTest, FindsAReleaseWithoutItsEntryAndAnEntryWithoutItsRelease) {
  Keep(own_, "work", 0);
  const ReleaseStore releases(store_, own_, KeyOf(1));
  SLUIS_ASSERT_OK(store_.Write(releases.Put("stray", {}, {}), true));
  EXPECT_THAT(Ledger().CheckComplete(),
              StatusIs(absl::StatusCode::kDataLoss, "own-project/stray is not in the ledger"));
  SLUIS_ASSERT_OK(store_.Write(ReleaseStore::EraseAll("own-project"), true));
  EXPECT_THAT(Ledger().CheckComplete(), StatusIs(absl::StatusCode::kDataLoss, "own-project/work"));
}

TEST_F(LedgerStoreTest, NoticesAnEntryThatWasChangedMovedOrLost) {
  Keep(own_, "work", 0);
  Keep(other_, "work", 1);
  std::vector<std::pair<std::string, std::string>> entries;
  SLUIS_ASSERT_OK(store_.Scan("ledger", "", "", [&](std::string_view key, std::string_view value) {
    entries.emplace_back(key, value);
    return true;
  }));
  const auto load_with = [&](const std::string& first) {
    common::WriteBatch batch;
    batch.Put("ledger", entries[0].first, first);
    SLUIS_EXPECT_OK(store_.Write(batch, true));
    return Ledger().Load(2).status();
  };
  EXPECT_THAT(load_with(entries[1].second), StatusIs(absl::StatusCode::kDataLoss, ""));
  std::string changed = entries[0].second;
  changed.back() ^= 1;
  EXPECT_THAT(load_with(changed), StatusIs(absl::StatusCode::kDataLoss, ""));
  SLUIS_EXPECT_OK(load_with(entries[0].second));
  EXPECT_THAT(Ledger().Load(3).status(), StatusIs(absl::StatusCode::kDataLoss, "missing"));
}

TEST(LedgerEntry, NothingCutOffOrAddedDecodes) {
  const std::string bytes = EncodeLedgerEntry(MakeEntry("p", "r"));
  SLUIS_EXPECT_OK(DecodeLedgerEntry(bytes).status());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THAT(DecodeLedgerEntry(bytes.substr(0, length)).status(), StatusIs(absl::StatusCode::kDataLoss, ""));
  }
  EXPECT_THAT(DecodeLedgerEntry(bytes + "x").status(), StatusIs(absl::StatusCode::kDataLoss, ""));
  LedgerEntry short_list = MakeEntry("p", "r");
  short_list.tables[0].measures[0].value.pop_back();
  EXPECT_THAT(DecodeLedgerEntry(EncodeLedgerEntry(short_list)).status(), StatusIs(absl::StatusCode::kDataLoss, ""));
}

}  // namespace
}  // namespace sluis::disclosure
