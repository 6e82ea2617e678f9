#!/usr/bin/env bash
# Measures the host beside a bare Kestrel program and the peers that this machine has. docs/PERFORMANCE.md explains the method.
#   ./bench.sh                    quick: less than a minute after the build
#   ./bench.sh --full             a million certificates, more rounds and loads, the silo: about a quarter of an hour
#   ./bench.sh edge               the host alone and behind HAProxy and nginx (deploy/edge/), processor time of both
#   ./bench.sh scale              ten thousand, one and ten million certificates: start, memory, rates; memory of an answer in the cache; a quarter of an hour, and 3 GB of disk
#   ./bench.sh feed               events acknowledged a second beside what the store gives to anybody; cached answers beside a bulk import
#   ./bench.sh micro [--full]     nanoseconds and octets of single steps, signing beside openssl speed, memory per answer
#   ./bench.sh overload           twice the capacity, open loop; floods of nonces and of serials that were never issued, beside cached answers
#   options: --json FILE, --certificates N, --rounds N, --seconds N, --minutes N (no round begins that would end later), --silo FOLDER (where the Cluster configuration
#            was built, when not in src/OcspCluster.Silo/bin/Cluster), --only nginx,openssl,cfssl,redis-server
# wrk is needed; nginx, openssl, cfssl (Debian: golang-cfssl) and the silo over redis-server are measured where they are, h2load (nghttp2-client) asks once more. What is missing is named.
set -u -o pipefail
root="$(cd "$(dirname "$0")" && pwd)"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build "$root/tests/OcspCluster.Benchmarks" -c Release -v:quiet -clp:NoSummary -tl:off || exit 1
case "${1:-}" in edge | feed | scale | micro | overload) ;; *) set -- macro "$@" ;; esac
exec dotnet "$root/tests/OcspCluster.Benchmarks/bin/Release/net10.0/OcspCluster.Benchmarks.dll" "$@"
