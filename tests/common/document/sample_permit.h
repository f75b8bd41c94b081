#pragma once

#include <string>

// A small complete permit as people write it; tests break one thing of it at a time.
namespace sluis::common::testing {

inline std::string SamplePermit() {
  const std::string key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
  const std::string hash(64, '0');
  return R"(id: sample-project
version: 1
title: Labour participation
purpose: statistics
legal_basis: Statistics Act
not_before: 2026-01-01
not_after: 2027-12-31
retention_end: 2028-12-31
required_approvals: 2
registers:
  - name: persons
    custodian: spiffe://example/custodian/population
    custodian_key: CwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCws=
    backbone: true
    schema: schemas/persons.json
    fields:
      - {name: sex, type: CODE, codes: [M, F]}
      - {name: age, source: birth_date, type: CODE, coarsen: {age_class: {reference_date: 2026-09-30, bounds: [0, 15, 75]}}}
    match_keys: [bsn, person]
    max_records: 1000
  - name: jobs
    custodian: spiffe://example/custodian/employment
    custodian_key: DAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw=
    many_per_person: true
    schema: schemas/jobs.json
    fields:
      - {name: start, type: DATE, coarsen: {truncate: MONTH}}
      - {name: wage, type: INTEGER, minimum: 0, maximum: 10000000, unit: EUR cent}
      - {name: employer, type: TOKEN}
    match_keys: [bsn]
    max_records: 2000
match_keys:
  - {name: bsn, purpose: identifiers, components: [{source: bsn, normaliser: BSN}]}
  - name: person
    purpose: match-keys
    components:
      - {source: birth_date, normaliser: DATE}
      - {source: surname, normaliser: PHONETIC_NAME}
dimensions:
  - {name: sex, hierarchy: hierarchies/sex.csv, fields: [persons.sex]}
measures:
  - {name: persons}
  - {name: wages, field: jobs.wage, unit: EUR cent}
rule_set: rules/strict.yaml
linkage_report: {minimum_records: 100, rounding: 10, max_link_sets: 12}
parties:
  key_service: spiffe://example/keys
  linker: spiffe://example/linker
  gate: spiffe://example/gate
  requesters: [spiffe://example/office/statistics]
  auditors:
    - {name: court, identity: spiffe://example/auditor/court, sealing_key: )" +
         key + R"(}
  oprf_public_keys:
    identifiers: )" +
         key + R"(
    match-keys: )" +
         key + R"(
  gate_sealing_key: )" +
         key + R"(
  log_keys: {keys: k, linker: l, gate: g}
attachments:
  - {name: schemas/persons.json, sha256: )" +
         hash + R"(}
  - {name: schemas/jobs.json, sha256: )" +
         hash + R"(}
  - {name: hierarchies/sex.csv, sha256: )" +
         hash + R"(}
  - {name: rules/strict.yaml, sha256: )" +
         hash + R"(}
)";
}

}  // namespace sluis::common::testing
