/** The values of one account and one of its keys; none of them is secret. */
export interface Signer {
  accountID: number;
  keyID: string;
}

/** What the browser calls the file with a key. */
export function fileName(keyID: string): string {
  return `service-account-${keyID.slice(0, 8)}.json`;
}

const target = 'https://api.example.com/v1/calls';

/** How to sign a JWT and call an API with it, by language. */
export const snippets: { language: string; code: (signer: Signer) => string }[] = [
  { language: 'curl', code: curl },
  { language: 'Go', code: go },
  { language: 'Node', code: node },
];

function curl({ accountID, keyID }: Signer): string {
  return `now=$(date +%s)
b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
head=$(printf '{"alg":"RS256","kid":"${keyID}"}' | b64)
body=$(printf '{"iss":${accountID},"iat":%d,"exp":%d}' $now $((now+3600)) | b64)
(umask 077; jq -r .private_key ${fileName(keyID)} > key.pem)
sig=$(printf '%s.%s' "$head" "$body" | openssl dgst -sha256 -sign key.pem | b64)

curl ${target} -H "Authorization: Bearer $head.$body.$sig"`;
}

function node({ accountID, keyID }: Signer): string {
  return `import { sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { private_key } = JSON.parse(readFileSync('${fileName(keyID)}', 'utf8'));
const now = Math.floor(Date.now() / 1000);
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const head = part({ alg: 'RS256', kid: '${keyID}' });
const body = part({ iss: ${accountID}, iat: now, exp: now + 3600 });
const signature = sign('RSA-SHA256', Buffer.from(\`\${head}.\${body}\`), private_key).toString('base64url');
const token = \`\${head}.\${body}.\${signature}\`;

const answer = await fetch('${target}', { headers: { Authorization: \`Bearer \${token}\` } });
console.log(answer.status);`;
}

function go({ accountID, keyID }: Signer): string {
  return `package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

// token signs a JWT that is good for an hour.
func token(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var key struct {
		PrivateKey string \`json:"private_key"\`
	}
	if err := json.Unmarshal(text, &key); err != nil {
		return "", err
	}
	block, _ := pem.Decode([]byte(key.PrivateKey))
	if block == nil {
		return "", fmt.Errorf("%s has no private key", file)
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding
	now := time.Now().Unix()
	head := b64.EncodeToString([]byte(\`{"alg":"RS256","kid":"${keyID}"}\`))
	body := b64.EncodeToString(fmt.Appendf(nil, \`{"iss":${accountID},"iat":%d,"exp":%d}\`, now, now+3600))
	sum := sha256.Sum256([]byte(head + "." + body))
	sig, err := rsa.SignPKCS1v15(rand.Reader, private.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	return head + "." + body + "." + b64.EncodeToString(sig), err
}

func main() {
	jwt, err := token("${fileName(keyID)}")
	if err != nil {
		log.Fatal(err)
	}
	request, _ := http.NewRequest(http.MethodGet, "${target}", nil)
	request.Header.Set("Authorization", "Bearer "+jwt)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status)
}`;
}
