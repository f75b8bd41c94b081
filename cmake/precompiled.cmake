# SLUIS_PRECOMPILED_HEADERS: a cold build in two thirds of the CPU time. The standard headers, absl::Status and, for
# tests, GoogleMock are compiled once. That hides forgotten includes, hence it is off but in the release preset; no
# header of gRPC, protobuf or Sluis is among these.
if(SLUIS_PRECOMPILED_HEADERS)
  set(headers <algorithm> <array> <chrono> <cmath> <cstdint> <filesystem> <fstream> <functional> <limits> <map> <memory> <numeric>
    <optional> <random> <set> <span> <sstream> <string> <string_view> <thread> <unordered_map> <utility> <vector>
    <absl/status/status.h> <absl/status/statusor.h> <absl/strings/str_cat.h>)
  file(CONFIGURE OUTPUT precompiled/empty.cc CONTENT "")
  foreach(target sluis_precompiled sluis_precompiled_test)
    add_library(${target} OBJECT ${CMAKE_BINARY_DIR}/precompiled/empty.cc)
    target_link_libraries(${target} PRIVATE sluis_flags)
    target_compile_options(${target} PRIVATE -fpch-preprocess)  # or ccache refuses
    target_precompile_headers(${target} PRIVATE ${headers})
  endforeach()
  if(SLUIS_BUILD_TESTS)
    target_link_libraries(sluis_precompiled_test PRIVATE GTest::gmock)
    target_precompile_headers(sluis_precompiled_test PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  endif()
endif()

# Has `target` use the headers that were compiled for `source`, sluis_precompiled or sluis_precompiled_test.
function(sluis_precompile target source)
  if(SLUIS_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM ${source})
    # After a precompiled header gcc 12 warns of overlaps in std::string that are not there (as at -O3, GCC bug 105651):
    # these warnings are left to the other presets.
    target_compile_options(${target} PRIVATE -fpch-preprocess
      -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
endfunction()
