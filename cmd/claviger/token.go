package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

func (p *program) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token --client-id ID < SECRET",
		Short: "Get an access token as an OAuth 2 client",
		Long: "Exchange a client ID and the client secret on stdin for an access token, and print it. An app's client\n" +
			"ID is its key, which is a secret as well: name a file that holds it with --client-id-file.",
		Args: noArguments,
	}
	o := p.take(cmd, "url", "json")
	var login client.Login
	var file string
	var scopes []string
	cmd.Flags().StringVar(&login.ID, "client-id", "", "`ID` of a client credential")
	cmd.Flags().StringVar(&file, "client-id-file", "", "`FILE` with the client ID, such as an app's key")
	cmd.Flags().StringSliceVar(&scopes, "scope", nil, "permission `NAME,…` (required but for apps)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if (login.ID == "") == (file == "") {
			return &usageError{err: errors.New("no client ID, or two"), hint: "Give --client-id or --client-id-file."}
		}
		if file != "" {
			data, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("reading the client ID: %w", err)
			}
			login.ID = strings.TrimSpace(string(data))
		}
		secret, err := readSecret(cmd)
		if err != nil {
			return err
		}
		login.Secret = api.Secret(secret)
		c, err := client.New(o.url, client.WithUserAgent("claviger-cli/"+version))
		if err != nil {
			return &usageError{err: err, hint: "--url or CLAVIGER_URL names the server."}
		}
		t, err := c.Token(cmd.Context(), login, scopes...)
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(cmd.OutOrStdout(), t)
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), t.AccessToken.Reveal())
		return err
	}
	return cmd
}

// serviceAccountJWTCommand signs as a program of a service account would.
func (p *program) serviceAccountJWTCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jwt KEY-FILE",
		Short: "Sign a service account's token with its key file, without asking any server",
		Args:  oneArgument("JSON file that key issue wrote"),
	}
	var life time.Duration
	cmd.Flags().DurationVar(&life, "life", time.Hour, "how long it is good for, as `DURATION` up to 1h")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if life < time.Second || life > time.Hour {
			return &usageError{err: errors.New("--life must be from 1s to 1h"), hint: "Longer tokens are not accepted."}
		}
		data, err := os.ReadFile(args[0])
		if err != nil {
			return fmt.Errorf("reading the key file: %w", err)
		}
		jwt, err := signAssertion(data, time.Now(), life, rand.Reader)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), jwt)
		return err
	}
	return cmd
}

// signAssertion makes the JWT of VX4.
func signAssertion(keyFile []byte, now time.Time, life time.Duration, random io.Reader) (string, error) {
	var f struct {
		AccountID  json.Number `json:"account_id"`
		KeyID      string      `json:"key_id"`
		PrivateKey string      `json:"private_key"`
	}
	if json.Unmarshal(keyFile, &f) != nil || f.AccountID == "" || f.KeyID == "" {
		return "", errors.New("the file is not a service account's key file")
	}
	block, _ := pem.Decode([]byte(f.PrivateKey))
	if block == nil {
		return "", errors.New("the file has no private key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return "", errors.New("the private key of the file cannot be read")
	}
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": f.KeyID})
	if err != nil {
		return "", fmt.Errorf("encoding the header: %w", err)
	}
	claims, err := json.Marshal(map[string]any{"iss": f.AccountID, "iat": now.Unix(), "exp": now.Add(life).Unix()})
	if err != nil {
		return "", fmt.Errorf("encoding the claims: %w", err)
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(random, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
