# nacre_module(NAME [DEPS module...] [LIBS target...])
#
# One shared library per folder of src/. The public include path of a module holds that folder
# alone, so a header is reachable only through a declared dependency: a forbidden include does
# not build. Every x_test.cc of the folder goes into one test program, NAME_test.
set(NACRE_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  list(APPEND NACRE_WARNINGS -Wthread-safety -Wno-gnu-statement-expression)
endif()

add_library(nacre_options INTERFACE)
target_compile_options(nacre_options INTERFACE ${NACRE_WARNINGS})
if(NACRE_SANITIZE)
  target_compile_options(nacre_options INTERFACE -fsanitize=${NACRE_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(nacre_options INTERFACE -fsanitize=${NACRE_SANITIZE})
endif()

function(nacre_module name)
  cmake_parse_arguments(arg "" "" "DEPS;LIBS" ${ARGN})
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
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
endfunction()

# nacre_fuzzers(NAME): every x_fuzz.cc of the folder becomes a libFuzzer program of its own.
function(nacre_fuzzers name)
  if(NOT NACRE_FUZZERS)
    return()
  endif()
  file(GLOB fuzzers CONFIGURE_DEPENDS *_fuzz.cc)
  foreach(source ${fuzzers})
    get_filename_component(target ${source} NAME_WE)
    add_executable(${target} ${source})
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${target} PRIVATE nacre_${name} nacre_options)
  endforeach()
endfunction()
