import FileIO
import Foundation
import Reports

/// A page's plots as SVG files, each under its title, in small letters with hyphens.
struct ReportPlots {
    let directory: String
    let files: [(path: String, figure: ReportPage.Figure)]

    init(_ figures: [ReportPage.Figure], in directory: String) {
        self.directory = directory
        var names: Set<String> = []
        files = figures.map { figure in
            let words = figure.title.lowercased().split { !$0.isLetter && !$0.isNumber }
            let title = words.joined(separator: "-")
            // Titles may differ in signs alone, such as those of the sets zh-a and "zh a".
            var (name, number) = (title, 1)
            while !names.insert(name).inserted {
                number += 1
                name = "\(title)-\(number)"
            }
            return (path: "\(directory)/\(name).svg", figure: figure)
        }
    }

    /// Finds what is in the way before anything is written.
    ///
    /// - Throws: `FileError`.
    func check(replacing: Bool) throws {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), !isDirectory.boolValue {
            throw FileError.unwritable(path: directory, reason: "a file is where a directory is needed")
        }
        if !replacing { for file in files { try refuseExisting(file.path) } }
    }

    func write() throws {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw FileError.unwritable(path: directory, reason: error.localizedDescription)
        }
        for file in files { try writeFile(file.path, file.figure.file.utf8) }
    }
}
