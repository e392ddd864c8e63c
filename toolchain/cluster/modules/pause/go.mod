module flaskstack.dev/toolchain/cluster/pause

go 1.24.0
