# Judges OCSP responses with openssl or ocsptool, one process each. usage: judge.sh openssl|ocsptool directory manifest; prints file and verdict, one a line.
cd "$2" || exit 1
while IFS='	' read -r file hash; do
    case $1 in
        openssl)
            # "good" beside "Status times invalid" is what its users are warned of: no verdict.
            said=$(openssl ocsp -respin "$file" -issuer ca.pem -"$hash" -cert leaf.pem -CAfile ca.pem -no_nonce -validity_period 300 2>&1 </dev/null)
            case $said in
                *'Response verify OK'*'Status times invalid'*) verdict=refused ;;
                *'Response verify OK'*'leaf.pem: good'*) verdict=good ;;
                *'Response verify OK'*'leaf.pem: revoked'*) verdict=revoked ;;
                *'Response verify OK'*'leaf.pem: unknown'*) verdict=unknown ;;
                *) verdict=refused ;;
            esac ;;
        ocsptool)
            said=$(ocsptool --verify-response --load-trust=ca.pem --load-response="$file" 2>&1 </dev/null)
            case $said in
                *'Verifying OCSP Response: Success'*'Certificate Status: good'* | *'Certificate Status: good'*'Verifying OCSP Response: Success'*) verdict=good ;;
                *'Verifying OCSP Response: Success'*'Certificate Status: revoked'* | *'Certificate Status: revoked'*'Verifying OCSP Response: Success'*) verdict=revoked ;;
                *'Verifying OCSP Response: Success'*'Certificate Status: unknown'* | *'Certificate Status: unknown'*'Verifying OCSP Response: Success'*) verdict=unknown ;;
                *) verdict=refused ;;
            esac ;;
    esac
    printf '%s\t%s\n' "$file" "$verdict"
done < "$3"
