#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "common/crypto/crypto.h"
#include "common/document/permit_set.h"
#include "common/rpc/guard.h"
#include "common/rpc/job.h"
#include "common/rpc/service_log.h"
#include "common/rpc/telemetry.h"
#include "disclosure/protect/protect.h"
#include "disclosure/rules/rules.h"
#include "disclosure/server/ledger_store.h"
#include "disclosure/server/question_limit.h"
#include "disclosure/server/release_store.h"
#include "disclosure/table/plan.h"
#include "proto/sluis/disclosure/v1/disclosure.grpc.pb.h"
#include "proto/sluis/linker/v1/linker.grpc.pb.h"

namespace sluis::disclosure {

using ReleaseStores = std::map<std::string, std::unique_ptr<ReleaseStore>, std::less<>>;  // by project

// What a gate stands on; all outlive the service.
struct GateParts {
  const common::PermitSet& permits;
  const ReleaseStores& releases;
  const LedgerStore& ledger;
  common::ServiceLog& log;
  common::Metrics& metrics;
  linker::v1::Linker::Stub& linker;
  const common::SealingKeyPair& sealing_key;
  int threads = 2;
  int questions_a_day = 100;  // dry runs and refused requests of one requester
};

// The gRPC door of the gate.
class GateService final : public v1::Gate::Service {
 public:
  explicit GateService(const GateParts& parts);

  grpc::Status StartTable(grpc::ServerContext*, const v1::StartTableRequest*, v1::StartTableResponse*) override;
  grpc::Status GetTableJob(grpc::ServerContext*, const v1::GetTableJobRequest*, v1::GetTableJobResponse*) override;
  grpc::Status CancelTableJob(grpc::ServerContext*, const v1::CancelTableJobRequest*,
                              v1::CancelTableJobResponse*) override;
  grpc::Status GetRelease(grpc::ServerContext*, const v1::GetReleaseRequest*,
                          grpc::ServerWriter<v1::FileChunk>*) override;
  grpc::Status GetEvidence(grpc::ServerContext*, const v1::GetEvidenceRequest*,
                           grpc::ServerWriter<v1::FileChunk>*) override;

  // Counts what the log says was asked today; once, before serving. Errors: as QuestionLimit::Load.
  [[nodiscard]] absl::Status LoadQuestions();
  void CancelJobs() { jobs_.CancelAll(); }
  static common::Guard::Table AccessTable();

 private:
  struct Project {
    const common::PermitBundle* bundle;
    ReleaseStore* releases;
  };
  // A request that was read and checked against the permit.
  struct Work {
    Project project;
    std::string document;
    TableRequest request;
    TablePlan plan;
    RuleSet rules;
    std::set<int> registers;  // positions in the permit of those that are used
    std::string requester;
    bool dry_run = false;
  };
  absl::StatusOr<Project> Find(const common::Caller& caller, common::Role role, const std::string& permit_id,
                               const std::string& permit_sha256, common::PermitDays days) const;
  // Errors: FAILED_PRECONDITION (REQUEST_ID_TAKEN) if another document was released under the id of `work`. Returns
  // whether this one was.
  absl::StatusOr<bool> IsReleased(const Work& work) const;
  // Plans what `work` asks for.
  absl::Status Plan(Work& work) const;
  absl::Status StartJob(const std::shared_ptr<const Work>& work, const std::string& job_id);
  // Runs as a job; returns the release id, or the findings of a dry run.
  absl::StatusOr<std::string> Run(const Work& work, common::JobControl& control);
  absl::StatusOr<std::string> Release(const Work& work, common::JobControl& control);
  // Writes a release down, if the ledger still has nothing else that it must be protected against than input.ledger.
  // Errors: ABORTED if it has; as the store.
  absl::StatusOr<std::string> Keep(const Work& work, const ProtectInput& input, ProtectedRelease& release,
                                   common::JobControl& control);
  // What the first `size` entries of the ledger say to `work`. Errors: as SelectEarlier and LedgerStore::Load.
  absl::StatusOr<EarlierReleases> Earlier(const Work& work, const LedgerDescription& description,
                                          std::uint64_t size) const;
  // Puts on record that `work` was refused with `refusal`, unless the same refusal of the same document is already, and
  // returns `refusal`. Errors: as QuestionLimit::Take, with nothing on record.
  absl::Status Refuse(const Work& work, const absl::Status& refusal);
  absl::Status LogDryRun(const Work& work);

  const GateParts parts_;
  common::Guard guard_;
  QuestionLimit questions_;
  std::mutex start_mutex_;    // held from a look at the jobs to the start of one
  std::mutex refuse_mutex_;   // held from a look at the log to the entry
  std::mutex release_mutex_;  // held from the last look at the ledger to the release: jobs of projects run together
  common::JobRunner jobs_;    // last: its threads use all above
};

}  // namespace sluis::disclosure
