# What these do is Go and serverless.yml; nothing is decided here.
.PHONY: dev test package e2e-lambda deploy

# make deploy STAGE=test deploys another stage. Its variables are those of .env.test or,
# without that file, of .env: osls and the doctor read the same one.
STAGE ?= prod

dev:
	go run ./cmd/gatehouse dev

test:
	go test ./...

# The zips of every Lambda main under cmd, examples and functions, then the template.
# It is the same in every region; the tool wants to be told one, and deploy tells it yours.
package: node_modules
	go run ./cmd/lambdazip
	npx osls package --region us-east-1 --stage $(STAGE)

# The packaged template as a stack on this machine: the built functions under a
# Runtime API, with an emulated DynamoDB and KMS; first from Go, then with the
# browser and the clients of others that also face `gatehouse dev`.
e2e-lambda: package e2e/clients/node_modules
	go test -count=1 -v ./internal/testrig/stacktest
	go test -C e2e -count=1 . -stack

# What is wrong is found before it is deployed, and what was deployed is tried.
# GATEHOUSE_TOKEN, an access token of somebody who is no admin, lets smoke try more.
deploy: package
	go run ./cmd/gatehouse doctor --deploy --stage $(STAGE)
	npx osls deploy --stage $(STAGE)
	npx osls info --stage $(STAGE) --verbose | go run ./cmd/gatehouse smoke --info -

node_modules: package-lock.json
	npm ci --no-audit --no-fund
	touch node_modules

e2e/clients/node_modules: e2e/clients/package-lock.json
	npm ci --no-audit --no-fund --prefix e2e/clients
	touch e2e/clients/node_modules
