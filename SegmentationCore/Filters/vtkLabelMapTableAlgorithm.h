// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapTableAlgorithm
 * @brief What all queries that give a table have in common: a label map in, numbers of it out, on
 * one or many ranks.
 *
 * Input 0: a vtkImageData with one point array to process (the active scalars unless another one is
 * chosen by SetInputArrayToProcess), one component. A query may have a second input, a volume.
 * Output: a vtkTable.
 *
 * In parallel each rank gives its piece of the label map, and the first rank gets the table, the
 * others one of the same columns without rows. The table is the same, bit for bit, for any number
 * of ranks and blocks. All ranks must run the filter, with the same parameters.
 *
 * Errors (a wrong parameter or array, different geometry on ranks, out of memory, abort) are agreed
 * on by all ranks: each gives an empty table and the same text in LastError.
 */
#ifndef vtkLabelMapTableAlgorithm_h
#define vtkLabelMapTableAlgorithm_h

#include "SegmentationCoreFiltersModule.h"
#include "vtkTableAlgorithm.h"

#include <string> // for std::string

class vtkImageData;
class vtkMultiProcessController;

namespace segcore
{
class Communicator;
class DistributedImage;
struct Progress;
}

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapTableAlgorithm : public vtkTableAlgorithm
{
public:
  vtkTypeMacro(vtkLabelMapTableAlgorithm, vtkTableAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Blocks into which each rank's part is cut, from 1. Does not change the result. Default 1.
  vtkSetMacro(NumberOfBlocks, int);
  vtkGetMacro(NumberOfBlocks, int);
  ///@}

  ///@{
  /// The ranks that work together. Default: the global controller; null or one process means
  /// serial.
  virtual void SetController(vtkMultiProcessController* controller);
  vtkMultiProcessController* GetController() const { return this->Controller; }
  ///@}

  /// Why the last execution failed, the same on all ranks; empty after success.
  const char* GetLastError() const { return this->LastError.c_str(); }

protected:
  vtkLabelMapTableAlgorithm();
  ~vtkLabelMapTableAlgorithm() override;

  /// What is wrong with the parameters, naming the culprit and what is accepted; empty if nothing.
  /// Must depend on parameters alone, so that all ranks give the same answer.
  virtual std::string CheckParameters() const = 0;

  /// What a query works on. Collective use, as it says with each.
  struct Job
  {
    const segcore::Communicator& Communicator;
    const segcore::DistributedImage& Image;
    vtkImageData* Labels;
    vtkImageData* Volume; ///< null if there is none
    const segcore::Progress& Progress;
  };

  /// The query. Collective; throws what goes wrong. Only the first rank adds rows.
  virtual void Execute(const Job& job, vtkTable* output) = 0;

  int FillInputPortInformation(int port, vtkInformation* info) override;
  int RequestUpdateExtent(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

private:
  vtkLabelMapTableAlgorithm(const vtkLabelMapTableAlgorithm&) = delete;
  void operator=(const vtkLabelMapTableAlgorithm&) = delete;

  int NumberOfBlocks = 1;
  vtkMultiProcessController* Controller = nullptr;
  std::string LastError;
};

#endif
