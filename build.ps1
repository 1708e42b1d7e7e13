# A thin wrapper of dotnet calls: build.ps1 [build|test|publish|all]. Ends with the exit code of the first call that fails.
param(
    [ValidateSet('build', 'test', 'publish', 'all')]
    [string] $Step = 'build'
)

Set-Location $PSScriptRoot

if ($Step -eq 'build' -or $Step -eq 'all') {
    dotnet build
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

if ($Step -eq 'test' -or $Step -eq 'all') {
    dotnet test
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

if ($Step -eq 'publish' -or $Step -eq 'all') {
    dotnet publish src/wslrelay -r win-x64 -o artifacts/win-x64
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }

    dotnet publish src/wslrelay -r linux-x64 -o artifacts/linux-x64
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }

    # For a libc that is older than this machine's, as in an old guest.
    dotnet publish src/wslrelay -r linux-x64 -p:PublishAot=false -o artifacts/linux-x64-portable
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }

    dotnet pack src/RelayProtocol -o artifacts/packages
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

exit 0
