// Pseudonymising a batch, client and server together with proofs, against its floor: the libsodium calls that VOPRF
// with batch inversion needs for the same batch, timed in the same run. Single-threaded; CPU time of the thread.
//
// The floor, for each element:
//   blind     expand_message_xmd (two SHA-512 chains), from_hash, scalarmult
//   evaluate  scalarmult
//   prove     the weight (expand_message_xmd, scalar_reduce), scalarmult and add for M
//   unblind   for the proof: the weight, two scalarmult and two add for M and Z;
//             three scalar_mul for the share in the common inversion, scalarmult
// It leaves out random scalars, encoding of transcripts, checks and memory, which the real thing also needs.

#include <benchmark/benchmark.h>
#include <sodium.h>
#include <time.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "common/crypto/crypto.h"
#include "keys/oprf/client.h"
#include "keys/oprf/server.h"
#include "tests/bench/bench.h"

namespace sluis::keys {
namespace {

using bench::Require;

constexpr std::size_t kCount = kMaxBatch;
constexpr std::size_t kStages = 4;
constexpr std::array<const char*, kStages> kStageNames = {"blind", "evaluate", "prove", "unblind"};

double ThreadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Nine digits from 100000000 on, as national numbers have: what is hashed has no influence on the time, its length has.
std::vector<std::string> Inputs() {
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < kCount; ++i) {
    inputs.push_back(std::to_string(100'000'000 + i));
  }
  return inputs;
}

void Require(int libsodium_result) {
  if (libsodium_result != 0) {
    std::fprintf(stderr, "a libsodium call failed\n");
    std::exit(1);
  }
}

// SHA-512 over `first_size` bytes and over the second, fixed-size chain of expand_message_xmd, then nothing else.
void FloorExpand(const std::uint8_t* message, std::size_t first_size, std::array<std::uint8_t, 64>& out) {
  static const std::array<std::uint8_t, 512> zeros{};
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, zeros.data(), 128);
  crypto_hash_sha512_update(&state, message, first_size);
  crypto_hash_sha512_update(&state, zeros.data(), 3 + 41 + 1);  // lengths and domain separation tag
  crypto_hash_sha512_final(&state, out.data());
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, out.data(), 64);
  crypto_hash_sha512_update(&state, zeros.data(), 1 + 41 + 1);
  crypto_hash_sha512_final(&state, out.data());
}

struct FloorState {
  std::vector<Element> hashed = std::vector<Element>(kCount);
  std::vector<Element> blinded = std::vector<Element>(kCount);
  std::vector<Element> evaluated = std::vector<Element>(kCount);
  std::vector<Element> unblinded = std::vector<Element>(kCount);
  std::vector<Scalar> scalars = std::vector<Scalar>(kCount);
  Scalar key{};
  Element sum_m{};
  Element sum_z{};
};

// The libsodium calls of stage `stage` for the whole batch.
void RunFloor(std::size_t stage, const std::vector<std::string>& inputs, FloorState& state) {
  constexpr std::size_t kWeightMessage = 145;  // seed, index, two elements, their lengths and "Composite"
  static const std::array<std::uint8_t, kWeightMessage> weight_message{};
  std::array<std::uint8_t, 64> wide;
  Scalar weight;
  Element product;
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::uint8_t* const scalar = state.scalars[i].data();
    switch (stage) {
      case 0:
        FloorExpand(common::AsBytes(inputs[i]).data(), inputs[i].size(), wide);
        crypto_core_ristretto255_from_hash(state.hashed[i].data(), wide.data());
        Require(crypto_scalarmult_ristretto255(state.blinded[i].data(), scalar, state.hashed[i].data()));
        break;
      case 1:
        Require(crypto_scalarmult_ristretto255(state.evaluated[i].data(), state.key.data(), state.blinded[i].data()));
        break;
      default:
        FloorExpand(weight_message.data(), weight_message.size(), wide);
        crypto_core_ristretto255_scalar_reduce(weight.data(), wide.data());
        Require(crypto_scalarmult_ristretto255(product.data(), scalar, state.blinded[i].data()));
        Require(crypto_core_ristretto255_add(state.sum_m.data(), state.sum_m.data(), product.data()));
        if (stage == 2) {
          break;
        }
        Require(crypto_scalarmult_ristretto255(product.data(), scalar, state.evaluated[i].data()));
        Require(crypto_core_ristretto255_add(state.sum_z.data(), state.sum_z.data(), product.data()));
        for (int multiplication = 0; multiplication < 3; ++multiplication) {
          crypto_core_ristretto255_scalar_mul(weight.data(), weight.data(), scalar);
        }
        Require(crypto_scalarmult_ristretto255(state.unblinded[i].data(), scalar, state.evaluated[i].data()));
    }
    benchmark::DoNotOptimize(weight);
  }
  if (stage == 3) {
    Require(crypto_core_ristretto255_scalar_invert(weight.data(), state.key.data()));
  }
}

// Each stage of the pipeline is followed at once by the same stage of the floor, so that a change of the machine's
// speed hits both.
void BM_PseudonymiseAgainstFloor(benchmark::State& state) {
  common::InitCrypto();
  const std::vector<std::string> inputs = Inputs();
  const KeyPair key = KeyPair::Generate();
  FloorState floor;
  DrawRandomScalar(floor.key);
  for (Scalar& scalar : floor.scalars) {
    DrawRandomScalar(scalar);
  }
  std::array<double, kStages> pipeline_seconds{};
  std::array<double, kStages> floor_seconds{};
  std::size_t stage = 0;
  double started = 0;
  const auto stage_done = [&] {
    const double middle = ThreadSeconds();
    RunFloor(stage, inputs, floor);
    pipeline_seconds[stage] += middle - started;
    floor_seconds[stage] += ThreadSeconds() - middle;
    ++stage;
    started = ThreadSeconds();
  };
  for (auto _ : state) {
    stage = 0;
    started = ThreadSeconds();
    const BlindedBatch batch = Require(Blind(inputs));
    stage_done();
    const std::string evaluated = Require(BlindEvaluate(key, batch.elements()));
    stage_done();
    const std::string proof = Require(GenerateProof(key, batch.elements(), evaluated));
    stage_done();
    benchmark::DoNotOptimize(Require(Unblind(batch, evaluated, proof, key.public_key())));
    stage_done();
  }
  const double elements = static_cast<double>(kCount) * static_cast<double>(state.iterations());
  double pipeline_total = 0;
  double floor_total = 0;
  for (std::size_t i = 0; i < kStages; ++i) {
    state.counters[std::string(kStageNames[i]) + "_ns"] = pipeline_seconds[i] / elements * 1e9;
    state.counters[std::string(kStageNames[i]) + "_floor_ns"] = floor_seconds[i] / elements * 1e9;
    pipeline_total += pipeline_seconds[i];
    floor_total += floor_seconds[i];
  }
  state.counters["total_ns"] = pipeline_total / elements * 1e9;
  state.counters["total_floor_ns"] = floor_total / elements * 1e9;
  state.counters["percent_of_floor"] = 100 * floor_total / pipeline_total;
}
BENCHMARK(BM_PseudonymiseAgainstFloor)->Unit(benchmark::kMillisecond)->Iterations(2);

std::string CpuModel() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

}  // namespace
}  // namespace sluis::keys

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::AddCustomContext("cpu_model", sluis::keys::CpuModel());
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::AddCustomContext("libsodium", sodium_version_string());
  benchmark::AddCustomContext("batch", std::to_string(sluis::keys::kCount) + " inputs of 9 bytes, one thread");
  benchmark::AddCustomContext("seed", "none: blinds, key and nonce are random, and the work does not depend on them");
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
