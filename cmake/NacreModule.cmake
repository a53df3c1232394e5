# nacre_module(NAME [DEPS module...] [LIBS target...] [LABELS label...] [TIMEOUT seconds])
#
# One shared library per folder of src/. The public include path of a module holds that folder
# alone, so a header is reachable only through a declared dependency: a forbidden include does
# not build. Every x_test.cc of the folder goes into one test program, NAME_test, with the labels
# and the time limit of nacre_test() below.
set(NACRE_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Without what g++ does not have in these groups.
  list(APPEND NACRE_WARNINGS -Wthread-safety -Wno-gnu-statement-expression -Wno-sign-conversion
       -Wno-missing-designated-field-initializers)
else()
  # g++ 12 sees uninitialised bytes in moved-from std::expected and std::optional that are never read.
  list(APPEND NACRE_WARNINGS -Wno-maybe-uninitialized)
endif()

add_library(nacre_options INTERFACE)
target_compile_options(nacre_options INTERFACE ${NACRE_WARNINGS})
if(NACRE_SANITIZE)
  target_compile_options(nacre_options INTERFACE -fsanitize=${NACRE_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(nacre_options INTERFACE -fsanitize=${NACRE_SANITIZE})
endif()
if(NACRE_FUZZERS)
  # The modules themselves are instrumented: a fuzzer finds its way by what it covers in them.
  target_compile_options(nacre_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(nacre_module name)
  cmake_parse_arguments(arg "" "TIMEOUT" "DEPS;LIBS;LABELS" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)

  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  list(TRANSFORM arg_DEPS PREPEND nacre_)
  if(sources)
    add_library(nacre_${name} SHARED ${sources})
    target_include_directories(nacre_${name} PUBLIC $<BUILD_INTERFACE:${root}>)
    target_link_libraries(nacre_${name} PUBLIC ${arg_DEPS} ${arg_LIBS} PRIVATE nacre_options)
    set_target_properties(nacre_${name} PROPERTIES INSTALL_RPATH "$ORIGIN")
    install(TARGETS nacre_${name} LIBRARY DESTINATION lib/nacre)
  else()
    add_library(nacre_${name} INTERFACE)
    target_include_directories(nacre_${name} INTERFACE $<BUILD_INTERFACE:${root}>)
    target_link_libraries(nacre_${name} INTERFACE ${arg_DEPS} ${arg_LIBS})
  endif()

  if(NACRE_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE nacre_${name} nacre_options GTest::gtest_main
                          GTest::gmock)
    nacre_label_concurrent(arg_LABELS)
    nacre_test(${name} ${name}_test LABELS ${arg_LABELS} TIMEOUT ${arg_TIMEOUT})
  endif()
endfunction()

# nacre_test(NAME PROGRAM [LABELS label...] [TIMEOUT seconds])
#
# A test program of GoogleTest. Labels say which runs of ./test it is part of:
#   unit        the default: the normal build and the one with ASan and UBSan
#   model       the same, for the suites that compare with a model
#   concurrent  besides: the build with TSan
#   mount       mounts for real: the normal build only
#   cluster     runs nodes or etcd as processes: the normal build only
#   tier        runs an S3 server as a process: the normal build only
# `cmake --build DIR --target tests_LABEL` builds the programs of a label. TIMEOUT is what the
# normal build may take; sanitizers get four times as long.
function(nacre_test name program)
  cmake_parse_arguments(arg "" "TIMEOUT" "LABELS" ${ARGN})
  add_test(NAME ${name} COMMAND ${program})
  nacre_test_properties(${name} "${arg_LABELS}" "${arg_TIMEOUT}" labels)
  foreach(label ${labels})
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})
    endif()
    add_dependencies(tests_${label} ${program})
  endforeach()
endfunction()

# nacre_script_test(NAME SCRIPT [ARGS argument...] [LABELS label...] [TIMEOUT seconds])
#
# An executable script of the current folder; the label is `mount` unless given. Exit code 77 means
# skipped. It counts as one test, or as many as it says in a last line "N passed, N failed". It
# finds the build directory in NACRE_BUILD.
function(nacre_script_test name script)
  cmake_parse_arguments(arg "" "TIMEOUT" "ARGS;LABELS" ${ARGN})
  if(NOT arg_LABELS)
    set(arg_LABELS mount)
  endif()
  add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${arg_ARGS})
  nacre_test_properties(${name} "${arg_LABELS}" "${arg_TIMEOUT}" labels)
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77
                       ENVIRONMENT "NACRE_BUILD=${CMAKE_BINARY_DIR}")
endfunction()

# Sets labels and time limit of a test, with their defaults; gives back the labels.
function(nacre_test_properties name labels timeout labels_out)
  if(NOT labels MATCHES "(^|;)(unit|model|mount|cluster|tier)(;|$)")
    list(PREPEND labels unit)
  endif()
  if(NOT timeout)
    set(timeout 300)
  endif()
  if(NACRE_SANITIZE)
    math(EXPR timeout "4 * ${timeout}")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout})
  set(${labels_out} "${labels}" PARENT_SCOPE)
endfunction()

# Adds the label `concurrent` to the list if anything in the current folder starts threads.
function(nacre_label_concurrent list)
  file(GLOB sources CONFIGURE_DEPENDS *.cc *.h)
  foreach(source ${sources})
    file(STRINGS ${source} starts_threads REGEX "^#include \"os/thread\\.h\"" LIMIT_COUNT 1)
    if(starts_threads)
      set(${list} ${${list}} concurrent PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# nacre_fuzzers(NAME): every x_fuzz.cc of the folder becomes a libFuzzer program of its own. The target
# `fuzzers` builds all of them, into fuzzers/ of the build directory.
function(nacre_fuzzers name)
  if(NOT NACRE_FUZZERS)
    return()
  endif()
  file(GLOB fuzzers CONFIGURE_DEPENDS *_fuzz.cc)
  foreach(source ${fuzzers})
    get_filename_component(target ${source} NAME_WE)
    add_executable(${target} ${source})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${target} PRIVATE nacre_${name} nacre_options)
    set_target_properties(${target} PROPERTIES
                          RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzzers)
    if(NOT TARGET fuzzers)
      add_custom_target(fuzzers)
    endif()
    add_dependencies(fuzzers ${target})
  endforeach()
endfunction()
