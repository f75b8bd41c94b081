#include "disclosure/server/ledger_store.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "disclosure/server/release_store.h"

namespace sluis::disclosure {
namespace {

constexpr char kEntries[] = "ledger";
constexpr char kValues[] = "ledger_values";
constexpr std::size_t kNumberBytes = 8;

// Big-endian, so that the order of keys is that of numbers.
std::string KeyOf(std::uint64_t number) {
  std::string key(kNumberBytes, '\0');
  for (std::size_t i = kNumberBytes; i-- > 0; number >>= 8) key[i] = static_cast<char>(number & 0xFF);
  return key;
}

std::string NameOf(const LedgerEntry& entry) { return absl::StrCat(entry.project, "/", entry.release); }
std::string EntryContext(const std::string& key) { return "ledger entry " + key; }
std::string ValuesContext(const std::string& name) { return "ledger values " + name; }

}  // namespace

std::vector<std::string> LedgerStore::Families() { return {kEntries, kValues}; }

LedgerStore::LedgerStore(common::Store& store, common::SecretBytes gate_key, ProjectKey project_key)
    : store_(store), gate_key_(std::move(gate_key)), project_key_(std::move(project_key)) {}

absl::StatusOr<std::uint64_t> LedgerStore::Size() const {
  std::uint64_t size = 0;
  SLUIS_RETURN_IF_ERROR(store_.Scan(kEntries, "", "", [&size](std::string_view, std::string_view) {
    ++size;
    return true;
  }));
  return size;
}

absl::StatusOr<std::vector<LedgerEntry>> LedgerStore::Load(std::uint64_t size) const {
  std::vector<LedgerEntry> entries;
  for (std::uint64_t number = 0; number < size; ++number) {
    const std::string key = KeyOf(number);
    SLUIS_ASSIGN_OR_RETURN(const auto sealed, store_.Get(kEntries, key));
    if (!sealed.has_value()) return absl::DataLossError("an entry of the ledger is missing");
    SLUIS_ASSIGN_OR_RETURN(const std::string bytes, common::AeadOpen(gate_key_, EntryContext(key), *sealed));
    SLUIS_ASSIGN_OR_RETURN(LedgerEntry entry, DecodeLedgerEntry(bytes));
    const std::string name = NameOf(entry);
    SLUIS_ASSIGN_OR_RETURN(const auto values, store_.Get(kValues, name));
    SLUIS_ASSIGN_OR_RETURN(const auto project_key, project_key_(entry.project));
    if (values.has_value() && project_key.has_value()) {
      SLUIS_ASSIGN_OR_RETURN(const std::string full, common::AeadOpen(*project_key, ValuesContext(name), *values));
      SLUIS_ASSIGN_OR_RETURN(entry, DecodeLedgerEntry(full));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

common::WriteBatch LedgerStore::Append(std::uint64_t size, const LedgerEntry& entry,
                                       const common::SecretBytes& project_key) const {
  common::WriteBatch batch;
  const std::string key = KeyOf(size), name = NameOf(entry);
  batch.Put(kEntries, key, common::AeadSeal(gate_key_, EntryContext(key), EncodeLedgerEntry(Forget(entry))));
  batch.Put(kValues, name, common::AeadSeal(project_key, ValuesContext(name), EncodeLedgerEntry(entry)));
  return batch;
}

common::WriteBatch LedgerStore::EraseValues(const std::string& project) {
  common::WriteBatch batch;
  batch.DeletePrefix(kValues, project + "/");
  return batch;
}

absl::Status LedgerStore::CheckComplete() const {
  SLUIS_ASSIGN_OR_RETURN(const std::uint64_t size, Size());
  SLUIS_ASSIGN_OR_RETURN(const std::vector<LedgerEntry> entries, Load(size));
  SLUIS_ASSIGN_OR_RETURN(std::set<std::string> due, ReleaseStore::Names(store_));
  SLUIS_ASSIGN_OR_RETURN(const std::set<std::string> marked, ReleaseStore::Marked(store_));
  for (const LedgerEntry& entry : entries) {
    const std::string name = NameOf(entry);
    SLUIS_ASSIGN_OR_RETURN(const auto values, store_.Get(kValues, name));
    // Releases and their values go together.
    if (values.has_value() != (due.erase(name) > 0)) {
      return absl::DataLossError(
          absl::StrCat("the ledger has release ", name, ", and its values or itself are missing"));
    }
  }
  for (const std::string& name : due) {
    if (!marked.contains(name)) return absl::DataLossError(absl::StrCat("release ", name, " is not in the ledger"));
  }
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
