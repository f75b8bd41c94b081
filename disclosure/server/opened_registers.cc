#include "disclosure/server/opened_registers.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <unordered_map>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "common/rpc/status_convert.h"
#include "common/seal/delivery_statement.h"
#include "common/seal/sealed_row.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

namespace v1 = linker::v1;

constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kNonceBytes = 24;  // in front of a sealed row
constexpr std::chrono::minutes kCallTimeout(1);
constexpr std::chrono::hours kStreamTimeout(6);

struct LinkageId {
  std::uint64_t high, low;
  friend bool operator==(const LinkageId&, const LinkageId&) = default;
};
struct LinkageIdHash {
  // The ids are random, so any part of them is a hash.
  std::size_t operator()(const LinkageId& id) const { return id.high; }
};
using PersonOfId = std::unordered_map<LinkageId, std::int32_t, LinkageIdHash>;

LinkageId ReadId(std::string_view ids, std::size_t record) {
  LinkageId id;
  std::memcpy(&id, ids.data() + record * kIdBytes, kIdBytes);
  return id;
}

using Source = v1::GetLinkSetResponse::Source;

// The linker's answer is not what the register's custodian delivered.
absl::Status Refused(const std::string& register_name, const std::string& what, const char* reason) {
  return common::WithReason(
      absl::DataLossError(absl::StrCat("register ", register_name, ": the linker sent ", what,
                                       "; nothing is released. If its custodian finds the delivery in order, the "
                                       "linker's operator must say why")),
      reason);
}

absl::Status Malformed(const std::string& register_name) {
  return Refused(register_name, "malformed rows", "ROWS_MALFORMED");
}

absl::Status WrongCount(const std::string& register_name) {
  return Refused(register_name, "more or fewer rows than its custodian signed", "ROW_COUNT_WRONG");
}

absl::Status LinkerError(const grpc::Status& status) {
  const absl::Status annotated = common::Annotate(common::FromGrpc(status), "the linker answered");
  return absl::IsUnavailable(annotated) ? common::WithReason(annotated, "LINKER_UNREACHABLE") : annotated;
}

void SetDeadline(grpc::ClientContext& context, std::chrono::seconds timeout) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

// Opens the rows of one register and appends them to its columns.
class RegisterOpener {
 public:
  RegisterOpener(const common::Permit& permit, const common::PermitRegister& schema, const Source& source,
                 common::SecretBytes data_key, PersonOfId& persons, const RecordKeyMaker* key_maker,
                 OpenedRegisters& opened, std::size_t index)
      : schema_(schema),
        context_(common::SealedRowContext(permit.sha256, schema.name, source.delivery_id())),
        row_bytes_(source.row_bytes()),
        data_key_(std::move(data_key)),
        persons_(persons),
        key_maker_(key_maker),
        columns_(opened.registers[index]),
        record_keys_(opened.record_keys[index]) {}

  absl::Status Append(const v1::FetchRowsResponse& message) {
    const std::size_t records = message.found().size();
    if (message.linkage_ids().size() != records * kIdBytes || message.rows().size() != records * row_bytes_) {
      return Malformed(schema_.name);
    }
    opened_.clear();
    person_of_row_.clear();
    for (std::size_t i = 0; i < records; ++i) {
      const std::string_view sealed = std::string_view(message.rows()).substr(i * row_bytes_, row_bytes_);
      absl::StatusOr<std::string> row = common::AeadOpen(data_key_, context_, sealed);
      if (!row.ok()) {
        return Refused(schema_.name, "a row that was damaged or is none of the delivery's", "ROW_FOREIGN");
      }
      opened_ += *row;
      // A row's nonce is random: one that comes twice is a row shown twice, to make a few persons look like many. Since
      // the number of rows is signed, it would also hide another.
      if (!nonces_.insert(ReadId(sealed, 0)).second) return Refused(schema_.name, "a row twice", "ROW_REPEATED");
      if (key_maker_ != nullptr) record_keys_.push_back(key_maker_->KeyOf(sealed.substr(0, kNonceBytes)));
      const LinkageId id = ReadId(message.linkage_ids(), i);
      if (schema_.backbone) {
        if (!persons_.emplace(id, static_cast<std::int32_t>(persons_.size())).second) return Malformed(schema_.name);
      } else {
        SLUIS_RETURN_IF_ERROR(AddPerson(id, message.found()[i] != 0));
      }
    }
    return columns_.AppendRows(opened_, person_of_row_);
  }

 private:
  absl::Status AddPerson(const LinkageId& id, bool found) {
    if (!found) {
      person_of_row_.push_back(-1);
      return absl::OkStatus();
    }
    const auto it = persons_.find(id);
    if (it == persons_.end()) return Malformed(schema_.name);
    person_of_row_.push_back(it->second);
    return absl::OkStatus();
  }

  const common::PermitRegister& schema_;
  const std::string context_;
  const std::size_t row_bytes_;
  const common::SecretBytes data_key_;
  PersonOfId& persons_;
  const RecordKeyMaker* key_maker_;  // may be null
  RegisterColumns& columns_;
  std::vector<std::uint64_t>& record_keys_;
  std::unordered_set<LinkageId, LinkageIdHash> nonces_;
  std::string opened_;
  std::vector<std::int32_t> person_of_row_;
};

absl::StatusOr<common::SecretBytes> OpenDataKey(const common::SealingKeyPair& gate_key, const std::string& sealed,
                                                const std::string& register_name) {
  absl::StatusOr<std::string> bytes = common::OpenSealed(gate_key, sealed);
  if (!bytes.ok() || bytes->size() != common::kAeadKeySize) {
    return common::WithReason(
        absl::DataLossError(absl::StrCat("the data key of register ", register_name,
                                         " cannot be opened: its custodian sealed it to another gate")),
        "DATA_KEY_FOREIGN");
  }
  common::SecretBytes key = common::SecretBytes::CopyOf(common::AsBytes(*bytes));
  common::Wipe(*bytes);
  return key;
}

// Returns the source of `schema`'s rows, once it is sure that the register's custodian signed it under this permit.
absl::StatusOr<const Source*> SignedSource(const common::Permit& permit, const common::PermitRegister& schema,
                                           const v1::GetLinkSetResponse& link_set) {
  const Source* source = nullptr;
  for (const Source& candidate : link_set.sources()) {
    if (candidate.register_() == schema.name) source = &candidate;
  }
  if (source == nullptr) {
    return common::WithReason(
        absl::FailedPreconditionError(absl::StrCat("register ", schema.name,
                                                   " has no delivery in the link set; its custodian submits one, then "
                                                   "link again")),
        "DELIVERY_MISSING");
  }
  common::Hash256 encoding_plan{};  // of another length it is not what the custodian signed
  if (source->encoding_plan_sha256().size() == encoding_plan.size()) {
    std::copy(source->encoding_plan_sha256().begin(), source->encoding_plan_sha256().end(), encoding_plan.begin());
  }
  const absl::Status signature =
      common::CheckDeliverySignature({.permit_sha256 = permit.sha256,
                                      .register_name = schema.name,
                                      .delivery_id = source->delivery_id(),
                                      .replaces = source->replaces(),
                                      .record_count = source->record_count(),
                                      .row_bytes = source->row_bytes(),
                                      .sealed_data_key = source->sealed_data_key(),
                                      .schema_sha256 = permit.FindAttachment(schema.schema)->sha256,
                                      .match_keys = schema.match_keys,
                                      .encoding_plan_sha256 = encoding_plan,
                                      .encoding_bytes = source->encoding_bytes()},
                                     schema.custodian_key, source->signature());
  if (!signature.ok()) {
    return Refused(schema.name, "a delivery that its custodian did not sign", common::ReasonOf(signature).c_str());
  }
  if (source->row_bytes() != common::SealedRowBytes(schema.RowWidth()) || source->record_count() > schema.max_records) {
    return Malformed(schema.name);
  }
  return source;
}

// Fetches the rows of one register. `progress`: of how many, how many came.
absl::Status FetchRows(v1::Linker::StubInterface& linker, const v1::FetchRowsRequest& request,
                       std::uint64_t record_count, RegisterOpener& opener,
                       const std::function<absl::Status(std::uint64_t records)>& progress) {
  grpc::ClientContext context;
  SetDeadline(context, kStreamTimeout);
  const auto reader = linker.FetchRows(&context, request);
  v1::FetchRowsResponse message;
  std::uint64_t records = 0;
  absl::Status status;
  while (status.ok() && reader->Read(&message)) {
    records += message.found().size();
    status = records > record_count ? WrongCount(request.register_()) : opener.Append(message);
    if (status.ok()) status = progress(records);
  }
  if (!status.ok()) context.TryCancel();
  const grpc::Status finished = reader->Finish();
  SLUIS_RETURN_IF_ERROR(status);
  if (!finished.ok()) return LinkerError(finished);
  return records == record_count ? absl::OkStatus() : WrongCount(request.register_());
}

}  // namespace

absl::StatusOr<OpenedRegisters> OpenRegisters(v1::Linker::StubInterface& linker, const common::Permit& permit,
                                              const std::string& link_set, const std::set<int>& used,
                                              const common::SealingKeyPair& gate_key, common::JobControl& control,
                                              const RecordKeyMaker* record_keys) {
  v1::GetLinkSetRequest request;
  request.set_permit_id(permit.id);
  request.set_permit_sha256(std::string(common::AsChars(permit.sha256)));
  request.set_link_set_id(link_set);
  v1::GetLinkSetResponse info;
  {
    grpc::ClientContext context;
    SetDeadline(context, kCallTimeout);
    if (const grpc::Status status = linker.GetLinkSet(&context, request, &info); !status.ok())
      return LinkerError(status);
  }
  OpenedRegisters opened;
  opened.link_set_id = info.link_set_id();
  std::vector<std::size_t> order;  // the backbone first: it says who the persons are
  for (std::size_t r = 0; r < permit.registers.size(); ++r) {
    opened.registers.emplace_back(&permit.registers[r]);
    if (permit.registers[r].backbone) {
      order.insert(order.begin(), r);
    } else if (used.contains(static_cast<int>(r))) {
      order.push_back(r);
    }
  }
  // All of them before anything is fetched or opened.
  std::vector<const Source*> sources;
  for (const std::size_t r : order) {
    SLUIS_ASSIGN_OR_RETURN(sources.emplace_back(), SignedSource(permit, permit.registers[r], info));
  }
  opened.record_keys.resize(permit.registers.size());
  PersonOfId persons;
  for (std::size_t step = 0; step < order.size(); ++step) {
    const common::PermitRegister& schema = permit.registers[order[step]];
    const Source& source = *sources[step];
    SLUIS_ASSIGN_OR_RETURN(common::SecretBytes data_key, OpenDataKey(gate_key, source.sealed_data_key(), schema.name));
    RegisterOpener opener(permit, schema, source, std::move(data_key), persons, record_keys, opened, order[step]);
    v1::FetchRowsRequest fetch;
    fetch.set_permit_id(permit.id);
    fetch.set_link_set_id(info.link_set_id());
    fetch.set_register_(schema.name);
    SLUIS_RETURN_IF_ERROR(FetchRows(linker, fetch, source.record_count(), opener, [&](std::uint64_t records) {
      control.SetProgress(step * 100 + records * 100 / std::max<std::uint64_t>(source.record_count(), 1),
                          order.size() * 100);
      return control.CheckCancelled();
    }));
  }
  return opened;
}

}  // namespace sluis::disclosure
