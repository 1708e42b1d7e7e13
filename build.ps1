# A thin wrapper of dotnet calls: build.ps1 [build|test|publish|all]. Ends with the exit code of the first call that fails.
param(
    [ValidateSet('build', 'test', 'publish', 'all')]
    [string] $Step = 'build'
)

function Invoke-DotNet {
    dotnet @args
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

Set-Location $PSScriptRoot

if ($Step -in 'build', 'all') { Invoke-DotNet build }

if ($Step -in 'test', 'all') { Invoke-DotNet test }

if ($Step -in 'publish', 'all') {
    # Apart from the folders of development, and from scratch, so that no earlier build gets into a package.
    $apart = '--artifacts-path', 'artifacts/build'
    $portable = '--property:PublishAot=false'
    Remove-Item artifacts/build, artifacts/packages -Recurse -Force -ErrorAction Ignore

    # README.md says what each is for.
    Invoke-DotNet publish src/wslrelay @apart -r win-x64 -o artifacts/win-x64
    Invoke-DotNet publish src/wslrelay @apart -r linux-x64 -o artifacts/linux-x64
    Invoke-DotNet publish src/wslrelay @apart -r linux-x64 $portable -o artifacts/linux-x64-portable
    Invoke-DotNet publish src/wslrelay @apart -r linux-arm64 -o artifacts/linux-arm64
    Invoke-DotNet publish src/wslrelay @apart -r linux-arm64 $portable -o artifacts/linux-arm64-portable
    Invoke-DotNet pack @apart -o artifacts/packages
    if (Get-Command dpkg-deb -ErrorAction Ignore) {
        foreach ($name in 'linux-x64', 'linux-arm64') {
            sh packaging/build-deb "artifacts/$name/wslrelay"
            if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
        }
    }
}

exit 0
