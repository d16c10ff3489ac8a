#!/bin/sh
# one_symbol.sh PLUGIN.so: it exports pga_plugin_v1 and nothing else.
set -eu
exported=$(nm -D --defined-only "$1" | awk '{print $NF}')
[ "$exported" = pga_plugin_v1 ] && exit 0
echo "$1 exports:"
echo "$exported"
exit 1
