# Installation and the .deb. To be included before any target is made.
#
#   cmake --install build --prefix DIR     a tree that works wherever it lies
#   cpack --config build/CPackConfig.cmake  build/package/nacre_VERSION_ARCHITECTURE.deb

# Programs find our libraries beside them; the libraries each other in their own folder.
set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib/nacre")

install(FILES LICENSE DESTINATION share/doc/nacre RENAME copyright)
install(FILES README.md CHANGELOG.md DESTINATION share/doc/nacre)

set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/package)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME nacre)
set(CPACK_PACKAGE_VENDOR "The Nacre authors")
set(CPACK_PACKAGE_CONTACT "The Nacre authors <authors@nacre.invalid>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
# fusermount3, which ordinary users mount with, is started and not linked.
set(CPACK_DEBIAN_PACKAGE_DEPENDS fuse3)
# For clusters that run etcd themselves; a volume on one machine needs none.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS etcd-server)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "versioned file system, mounted through FUSE
Nacre keeps every past version of every file readable: blocks are written once,
checksummed and never changed, and small facts are rows with their history.
An embedded volume needs no server: create it, mount it, and look at any
moment of its past below .nacre/ in the mount.")
include(CPack)
