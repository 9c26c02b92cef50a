package main

import (
	"bufio"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/gatehouse-auth/gatehouse/internal/env"
	"github.com/gatehouse-auth/gatehouse/internal/lambda/awsenv"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/kmstest"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
	"github.com/gatehouse-auth/gatehouse/keys/kmskey"
)

// variables are what Lambda tells a function; a session token is that long.
var variables = map[string]string{
	"AWS_REGION": kmstest.Region, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": strings.Repeat("t", 700),
}

// served is what the child tells: where its KMS is, and the key in it.
type served struct{ URL, Key string }

// serveKMS is a process with a KMS, so that its work is not ours. It tells where
// it is on file 3.
func serveKMS() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &kmstest.Server{Generate: func(int) (*rsa.PrivateKey, error) { return keystest.WeakKey(), nil }}
	go http.Serve(listener, server) // it ends with the process
	at := served{URL: "http://" + listener.Addr().String()}
	created, err := client(at.URL).CreateKey(context.Background(), &kms.CreateKeyInput{KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY"})
	if err != nil {
		return err
	}
	at.Key = *created.KeyMetadata.Arn
	if err := json.NewEncoder(os.NewFile(3, "ready")).Encode(at); err != nil {
		return err
	}
	bufio.NewReader(os.Stdin).ReadByte() // an error says that the parent is gone
	return nil
}

// client is the SDK's, configured as in the Lambda function.
func client(url string) *kms.Client {
	e := &env.Reader{Get: func(name string) string { return variables[name] }}
	return kms.NewFromConfig(awsenv.Config(e), func(o *kms.Options) { o.BaseEndpoint = &url })
}

// way is a way to have KMS sign.
type way struct {
	name string
	sign func(context.Context, [sha256.Size]byte) ([]byte, error)
	cpu  []time.Duration // for a signature, one of each round
}

// measureKMS prints the CPU time of a signature by KMS for the process that asks
// for it, over plain HTTP to another process of this machine.
func measureKMS(ctx context.Context, rounds, calls int) error {
	at, stop, err := startKMS()
	if err != nil {
		return err
	}
	defer stop()
	key, err := kmskey.Open(ctx, client(at.URL), at.Key)
	if err != nil {
		return err
	}
	byHand := &caller{url: at.URL, key: at.Key}
	ways := []*way{{name: "by kmskey, with the SDK", sign: key.SignDigest}, {name: "by hand: SigV4 over net/http", sign: byHand.sign}}
	for round := range rounds + 1 {
		for _, w := range ways {
			if err := w.measure(ctx, calls, round > 0); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
		}
	}
	fmt.Printf("%-45s %8s\n", "a signature by KMS, medians", "our CPU")
	for _, w := range ways {
		fmt.Printf("%-45s %8s\n", w.name, show(median(w.cpu)))
	}
	return nil
}

func (w *way) measure(ctx context.Context, calls int, counts bool) error {
	before, err := cpuOf(os.Getpid())
	if err != nil {
		return err
	}
	for n := range calls {
		if _, err := w.sign(ctx, sha256.Sum256([]byte{byte(n)})); err != nil {
			return err
		}
	}
	after, err := cpuOf(os.Getpid())
	if err == nil && counts {
		w.cpu = append(w.cpu, (after-before)/time.Duration(calls))
	}
	return err
}

// startKMS starts the child.
func startKMS() (at served, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return at, nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return at, nil, err
	}
	defer w.Close()
	cmd := exec.Command(self, "-role", "kms")
	cmd.Stderr, cmd.ExtraFiles = os.Stderr, []*os.File{w}
	in, err := cmd.StdinPipe()
	if err != nil {
		return at, nil, err
	}
	if err := cmd.Start(); err != nil {
		return at, nil, err
	}
	stop = func() {
		in.Close()
		cmd.Wait()
	}
	if err := json.NewDecoder(r).Decode(&at); err != nil {
		stop()
		return at, nil, fmt.Errorf("starting a KMS: %w", err)
	}
	return at, stop, nil
}
