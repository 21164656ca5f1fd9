"""The Java rules that are built into Bazel before 7, under the names of rules_java."""

java_binary = native.java_binary
java_import = native.java_import
java_library = native.java_library
java_runtime = native.java_runtime
java_runtime_suite = getattr(native, "java_runtime_suite", None)
java_toolchain = native.java_toolchain
