#!/usr/bin/env bash
# Measures the host beside a bare Kestrel program and the peers that this machine has. docs/PERFORMANCE.md explains the method.
#   ./bench.sh                    quick: less than a minute after the build
#   ./bench.sh --full             a million certificates and more rounds: about a quarter of an hour
#   ./bench.sh micro [--full]     nanoseconds and octets of single steps, signing beside openssl speed, memory per answer
#   ./bench.sh overload           twice the connections, floods of nonces and of serials that were never issued, beside cached answers
#   options: --json FILE, --certificates N, --rounds N, --seconds N, --only nginx,openssl,cfssl
# wrk is needed; nginx, openssl and cfssl (Debian: golang-cfssl) are peers. What is missing is named.
set -u -o pipefail
root="$(cd "$(dirname "$0")" && pwd)"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build "$root/tests/OcspCluster.Benchmarks" -c Release -v:quiet -clp:NoSummary -tl:off || exit 1
case "${1:-}" in micro | overload) ;; *) set -- macro "$@" ;; esac
exec dotnet "$root/tests/OcspCluster.Benchmarks/bin/Release/net10.0/OcspCluster.Benchmarks.dll" "$@"
