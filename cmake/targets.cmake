# The compiler flags and the helpers with which every library and test of Sluis is declared.
add_library(sluis_flags INTERFACE)
target_include_directories(sluis_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(sluis_flags INTERFACE -Wall -Wextra -Wpedantic -Werror -fstack-protector-strong)
target_compile_definitions(sluis_flags INTERFACE $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
if(SLUIS_SANITIZE)
  target_compile_options(sluis_flags INTERFACE -fsanitize=${SLUIS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(sluis_flags INTERFACE -fsanitize=${SLUIS_SANITIZE})
endif()

if(SLUIS_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "SLUIS_FUZZ needs clang: cmake --preset fuzz, with the package clang installed")
  endif()
  # Warnings are gcc's business: clang has others.
  target_compile_options(sluis_flags INTERFACE -Wno-error -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(sluis_flags INTERFACE -fsanitize=address,undefined)
endif()

include(cmake/precompiled.cmake)

# sluis_add_library(common_csv SOURCES reader.cc DEPS sluis::common_status PRIVATE_DEPS libcsv)
# declares the static library sluis_common_csv with the alias sluis::common_csv.
function(sluis_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_SOURCES)
    add_library(sluis_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(sluis_${name} PUBLIC ${ARG_DEPS} PRIVATE sluis_flags ${ARG_PRIVATE_DEPS})
    target_include_directories(sluis_${name} PUBLIC ${PROJECT_SOURCE_DIR})
    sluis_precompile(sluis_${name} sluis_precompiled)
  else()
    add_library(sluis_${name} INTERFACE)
    target_link_libraries(sluis_${name} INTERFACE ${ARG_DEPS})
    target_include_directories(sluis_${name} INTERFACE ${PROJECT_SOURCE_DIR})
  endif()
  add_library(sluis::${name} ALIAS sluis_${name})
endfunction()

# sluis_add_test(reader_test SOURCES reader_test.cc DEPS sluis::common_csv LABELS unit [TIMEOUT seconds])
# declares a GoogleTest program; every TEST in it becomes a ctest test. Labels: unit integration interop fault fuzz.
function(sluis_add_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE sluis_flags ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  sluis_precompile(${name} sluis_precompiled_test)
  # One variable a property: gtest_discover_tests takes lists apart. SLUIS_TEST_DATA comes from the caller's environment.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "SLUIS_BINARY_DIR=${CMAKE_BINARY_DIR}/bin"
    ENVIRONMENT_MODIFICATION "SLUIS_SOURCE_DIR=set:${PROJECT_SOURCE_DIR}")
endfunction()

# sluis_add_bench(oprf_bench SOURCES oprf_bench.cc DEPS sluis::keys_oprf): a Google Benchmark program, never a test.
function(sluis_add_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE sluis_flags ${ARG_DEPS} benchmark::benchmark)
  sluis_precompile(${name} sluis_precompiled)
endfunction()
